import fc from 'fast-check'
import { expect, test } from 'vitest'

import { DotStuffer } from '../../../src/relay/transport/dot-stuffing.ts'

function stuff(text: string, pieces = text.length): string {
  const stuffer = new DotStuffer()
  const out: Uint8Array[] = []
  const octets = Buffer.from(text, 'latin1')
  for (let at = 0; at < octets.length; at += pieces) {
    out.push(stuffer.push(octets.subarray(at, at + pieces)))
  }
  out.push(stuffer.end())
  return Buffer.concat(out).toString('latin1')
}

test.each([
  ['', '.\r\n'],
  ['a\r\n', 'a\r\n.\r\n'],
  ['a', 'a\r\n.\r\n'],
  ['.\r\n', '..\r\n.\r\n'],
  ['.', '..\r\n.\r\n'],
  ['..a\r\n.', '...a\r\n..\r\n.\r\n'],
  ['a.b\r\n', 'a.b\r\n.\r\n'],
  ['a\r', 'a\r\n.\r\n'],
  ['a\n.\nb', 'a\r\n..\r\nb\r\n.\r\n'],
  ['a\r.\rb\r', 'a\r\n..\r\nb\r\n.\r\n'],
  ['a\r\r\n.', 'a\r\n\r\n..\r\n.\r\n'],
  ['a\n\r.', 'a\r\n\r\n..\r\n.\r\n'],
])('%j leaves as %j, however it is cut', (text, expected) => {
  for (const pieces of [1, 2, 3, 100]) expect(stuff(text, pieces)).toBe(expected)
})

test('text with nothing to change is passed on without a copy', () => {
  const chunk = Buffer.from('From: a@example.org\r\n\r\nhello\r\n')
  expect(new DotStuffer().push(chunk)).toBe(chunk)
})

const nasty = fc.array(fc.constantFrom('\r', '\n', '.', '\r\n', 'a', '\0', '\xff', '\r\n.\r\n'), {
  maxLength: 40,
})

test('whatever goes in, the one end of data is at the end, and no CR or LF is bare', () => {
  fc.assert(
    fc.property(nasty, fc.integer({ min: 1, max: 8 }), (parts, pieces) => {
      const sent = stuff(parts.join(''), pieces)
      expect(`\r\n${sent}`.indexOf('\r\n.\r\n')).toBe(sent.length - 3)
      expect(sent.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
    }),
  )
})

test('what has proper lines comes out of a receiver as it went in', () => {
  const line = fc.string({ unit: fc.constantFrom('.', 'a', '\0', '\xe9'), maxLength: 6 })
  fc.assert(
    fc.property(fc.array(line), fc.integer({ min: 1, max: 8 }), (lines, pieces) => {
      const text = lines.map(words => `${words}\r\n`).join('')
      const sent = stuff(text, pieces)
      expect(sent.slice(0, -3).replaceAll(/(^|\r\n)\./g, '$1')).toBe(text)
    }),
  )
})
