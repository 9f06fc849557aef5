import fc from 'fast-check'
import { expect, test } from 'vitest'

import { SpecialOctets } from '../../src/mail/special-octets.ts'

function found(octets: Buffer): number[] {
  const specials = new SpecialOctets(octets)
  const all: number[] = []
  for (let at = specials.next(0); at < octets.length; at = specials.next(at + 1)) all.push(at)
  return all
}

/** The same, octet by octet. */
function expected(octets: Buffer): number[] {
  return [...octets.keys()].filter(i => {
    const [before, octet, after] = [octets[i - 1], octets[i], octets[i + 1]]
    if (octet === 13) return after !== 10
    if (octet === 10) return before !== 13
    return octet === 46 && before === 10
  })
}

test('every bare CR and LF and every dot behind an LF, and nothing else', () => {
  const words = fc.constantFrom('\r\n', '\r\n', 'text', '.', '\r', '\n', '\xff')
  fc.assert(
    fc.property(fc.array(words, { maxLength: 30 }), parts => {
      const octets = Buffer.from(parts.join(''), 'latin1')
      expect(found(octets)).toEqual(expected(octets))
    }),
    { numRuns: 2_000 },
  )
})

// It looks at 32 KiB at a time.
test.each([32_768, 65_536])('also around octet %d of many', edge => {
  for (const words of ['\r\n', '\r\n.', '\r', '\n', '.', '\r\r\n', '\n.']) {
    for (let at = edge - 4; at <= edge + 2; at++) {
      const octets = Buffer.alloc(100_000, 'x')
      octets.write(words, at, 'latin1')
      expect(found(octets), `${JSON.stringify(words)} at ${at}`).toEqual(expected(octets))
    }
  }
})
