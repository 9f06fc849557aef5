import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { DataDecoder } from '../../../src/relay/submission/data-decoder.ts'

/** Feeds octets cut at the given lengths; answers the content, and what is left behind the end. */
function decode(
  octets: Buffer,
  cuts: readonly number[] = [],
  normalise = false,
  longest = 1_000,
): { content: Buffer; rest: Buffer | undefined; decoder: DataDecoder } {
  const decoder = new DataDecoder({ normalise, longest })
  const parts: Buffer[] = []
  let rest = octets
  for (let n = 0; rest.length > 0; n++) {
    const size = Math.min(
      rest.length,
      cuts.length === 0 ? rest.length : (cuts[n % cuts.length] ?? 1),
    )
    const { content, consumed, ended } = decoder.feed(rest.subarray(0, size))
    parts.push(content)
    rest = rest.subarray(consumed)
    if (ended) return { content: Buffer.concat(parts), rest, decoder }
  }
  return { content: Buffer.concat(parts), rest: undefined, decoder }
}

/** RFC 5321 section 4.5.2 as a client does it. */
function stuff(content: string): string {
  return content.replaceAll(/(^|\r\n)\./g, '$1..')
}

// Octets that matter, many times more often than others.
const octets = fc
  .array(fc.oneof(fc.constantFrom('\r\n', '.', '\r', '\n', '\0', 'x'), fc.constant('\r\n.\r\n')), {
    maxLength: 60,
  })
  .map(parts => Buffer.from(parts.join('')))
const cuts = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 20 })

describe('DataDecoder', () => {
  it('gives back what a client has stuffed, however it was cut', () => {
    const line = fc.stringMatching(/^[.x\u00e9]{0,6}$/)
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), cuts, (lines, at) => {
        const content = lines.map(text => `${text}\r\n`).join('')
        const { content: out, rest } = decode(Buffer.from(`${stuff(content)}.\r\nNOOP`), at)
        expect(out.toString()).toBe(content)
        expect(rest?.toString()).toBe('NOOP')
      }),
      { numRuns: 500 },
    )
  })

  it('ends where CRLF.CRLF first stands and nowhere else, however it was cut', () => {
    fc.assert(
      fc.property(octets, cuts, (bytes, at) => {
        const text = `\r\n${bytes.toString('latin1')}`
        const end = text.indexOf('\r\n.\r\n')
        const { rest } = decode(bytes, at)
        // The two octets put in front stand for the line end of DATA itself.
        expect(rest?.length).toBe(end < 0 ? undefined : text.length - end - 5)
      }),
      { numRuns: 2_000 },
    )
  })

  it('finds the same whether it is cut or not', () => {
    fc.assert(
      fc.property(octets, cuts, fc.boolean(), fc.nat(20), (bytes, at, normalise, longest) => {
        const whole = decode(bytes, [], normalise, longest)
        const parts = decode(bytes, at, normalise, longest)
        expect(parts.content.equals(whole.content)).toBe(true)
        expect(parts.decoder.bareNewlines).toBe(whole.decoder.bareNewlines)
        expect(parts.decoder.tooLong).toBe(whole.decoder.tooLong)
      }),
      { numRuns: 1_000 },
    )
  })

  it('leaves no bare CR or LF when it normalises, and counts them all when it does not', () => {
    fc.assert(
      fc.property(octets, cuts, (bytes, at) => {
        const { content, rest } = decode(bytes, at, true)
        expect(content.toString('latin1')).not.toMatch(/\r(?!\n)|(?<!\r)\n/)
        if (rest === undefined) return
        const message = bytes.subarray(0, bytes.length - rest.length).toString('latin1')
        const bare = message.match(/\r(?!\n)|(?<!\r)\n/g)?.length ?? 0
        expect(decode(bytes, at).decoder.bareNewlines).toBe(bare)
      }),
      { numRuns: 1_000 },
    )
  })

  it('sees eight bits and the longest line, its stuffing dot not counted', () => {
    const text = Buffer.from(`..${'x'.repeat(997)}\r\nh\u00e9\r\n.\r\n`)
    const { decoder } = decode(text)
    expect(decoder.tooLong).toBe(false)
    expect(decode(text, [], false, 999).decoder.tooLong).toBe(true)
    expect(decoder.eightBit).toBe(true)
    expect(decode(Buffer.from('x\r\n.\r\n')).decoder.eightBit).toBe(false)
  })

  it('finds the one line that is too long, wherever it stands in whatever was sent at once', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(6), { maxLength: 40 }),
        fc.integer({ min: 3, max: 9 }),
        (lines, longest) => {
          const text = `${lines.map(length => 'x'.repeat(length)).join('\r\n')}\r\n.\r\n`
          const expected = lines.some(length => length + 2 > longest)
          expect(decode(Buffer.from(text), [], false, longest).decoder.tooLong).toBe(expected)
        },
      ),
      { numRuns: 1_000 },
    )
  })

  it('does not take the dot away that follows a bare LF', () => {
    const { content } = decode(Buffer.from('a\n..\r\n.\r\n'))
    expect(content.toString()).toBe('a\n..\r\n')
  })

  it('is linear in a million dots', () => {
    const { content } = decode(Buffer.from(`${'..\r\n'.repeat(250_000)}.\r\n`), [65_536])
    expect(content.length).toBe(750_000)
  })
})
