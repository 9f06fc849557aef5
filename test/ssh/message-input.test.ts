import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { readMessage } from '../../src/ssh/message-input.ts'

async function* cut(text: string | Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  const octets = Buffer.from(text)
  let at = 0
  for (const size of [...sizes, Infinity]) {
    if (at >= octets.length) return
    yield octets.subarray(at, at + size)
    at += size
  }
}

async function read(
  text: string | Buffer,
  options: { dots?: boolean; sizes?: readonly number[] } = {},
) {
  const { fields, body } = await readMessage(cut(text, options.sizes ?? []), options.dots ?? false)
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return {
    header: Buffer.concat(fields.map(field => field.raw)).toString(),
    body: Buffer.concat(chunks).toString(),
  }
}

describe('a message on standard input', () => {
  test.each([
    [
      'ends its header with an empty line',
      'Subject: x\n y\nTo: a\n\nbody\n',
      'Subject: x\n y\nTo: a\n',
      'body\n',
    ],
    ['also with CRLF', 'Subject: x\r\n\r\nbody\r\n', 'Subject: x\r\n', 'body\r\n'],
    [
      'ends its header with a line that is no field',
      'Subject: x\nbody: no\nhello world\n\nx',
      'Subject: x\nbody: no\n',
      'hello world\n\nx',
    ],
    ['has no header', 'hello world\nTo: a\n\n', '', 'hello world\nTo: a\n\n'],
    ['has no body', 'Subject: x\nTo: a', 'Subject: x\nTo: a', ''],
    [
      'begins as a mailbox or a patch does',
      'From 0123 Mon Sep 17 00:00:00 2001\nFrom: a\n\nb',
      'From: a\n',
      'b',
    ],
    ['is empty', '', '', ''],
    ['begins with a blank', ' x\n\ny', '', ' x\n\ny'],
    ['begins with an empty line', '\nTo: a\n', '', 'To: a\n'],
    ['ends at a dot', 'To: a\n\nx\n.\ny', 'To: a\n', 'x\n'],
    ['ends at a dot with CRLF', 'To: a\r\n\r\nx\r\n.\r\ny', 'To: a\r\n', 'x\r\n'],
    ['ends at a dot without an end', 'To: a\n\nx\n.', 'To: a\n', 'x\n'],
    ['has dots that are not alone', 'To: a\n\n..\n.x\nx.\n. \n', 'To: a\n', '..\n.x\nx.\n. \n'],
  ])('that %s', async (_, text, header, body) => {
    expect(await read(text)).toEqual({ header, body })
    // However it is cut.
    expect(await read(text, { sizes: Array<number>(text.length).fill(1) })).toEqual({
      header,
      body,
    })
  })

  test('keeps a dot that is a line, where that was asked for', async () => {
    expect((await read('To: a\n\nx\n.\ny', { dots: true })).body).toBe('x\n.\ny')
  })

  test('is all there, however it comes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('A: b\n', ' c\n', '\n', '.\n', '.', 'x', '\r\n', 'a:', ' ')),
        fc.array(fc.integer({ min: 1, max: 9 })),
        async (pieces, sizes) => {
          const text = pieces.join('')
          const whole = await read(text, { dots: true, sizes: [] }).catch(() => undefined)
          expect(await read(text, { dots: true, sizes }).catch(() => undefined)).toEqual(whole)
          const { header, body } = whole ?? { header: '', body: text }
          // Nothing is lost but the one empty line.
          expect([`${header}${body}`, `${header}\n${body}`, `${header}\r\n${body}`]).toContain(text)
        },
      ),
    )
  })

  test.each([
    ['is too large', `A: ${'x'.repeat(300_000)}\n\n`],
    ['never ends', 'A: b\n'.repeat(100_000)],
    ['has too many fields', `${'A:\n'.repeat(5_000)}\n`],
    ['holds a bare CR', 'A: b\rTo: c\n\n'],
    ['holds a NUL', 'A: b\0\n\n'],
  ])('whose header section %s is none', async (_, text) => {
    await expect(read(text)).rejects.toThrow(expect.objectContaining({ code: 65 }))
  })

  test('may be a long line and nothing else', async () => {
    const text = 'x'.repeat(1_000_000)
    expect(await read(text, { sizes: [100, 70_000] })).toEqual({ header: '', body: text })
  })

  test('that breaks off is a fault of reading', async () => {
    async function* broken(): AsyncGenerator<Buffer> {
      yield Buffer.from('To: a\n')
      throw new Error('EIO')
    }
    await expect(readMessage(broken(), false)).rejects.toThrow(
      expect.objectContaining({ code: 74 }),
    )
  })
})
