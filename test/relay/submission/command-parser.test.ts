import { once } from 'node:events'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { CommandParser } from '../../../src/relay/submission/command-parser.ts'

/** Writes chunks and ends; answers the lines that were handed out. */
async function lines(chunks: readonly (string | Buffer)[]): Promise<string[]> {
  const seen: string[] = []
  const parser = new CommandParser({
    onLine: line => {
      seen.push(line.kind === 'overlong' ? '(overlong)' : line.octets.toString('latin1'))
      return Promise.resolve()
    },
    onOctets: () => undefined,
  })
  for (const chunk of chunks) parser.write(chunk)
  parser.end()
  await once(parser, 'finish')
  // What smtp-server's own parser does with a rest, it does at `finish`.
  await new Promise(setImmediate)
  return seen
}

describe('CommandParser', () => {
  it('hands out lines that end in CRLF, however they were cut', async () => {
    const octet = fc.constantFrom('\r\n', '\r', '\n', 'A', ' ', '\0', '\u00ff')
    await fc.assert(
      fc.asyncProperty(
        fc.array(octet, { maxLength: 40 }),
        fc.integer({ min: 1, max: 7 }),
        async (parts, size) => {
          const text = parts.join('')
          const bytes = Buffer.from(text, 'latin1')
          const chunks: Buffer[] = []
          for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
          expect(await lines(chunks)).toEqual(text.split('\r\n').slice(0, -1))
        },
      ),
      { numRuns: 300 },
    )
  })

  it('does not hand out a line without an end when the client hangs up', async () => {
    expect(await lines(['NOOP\r\nQUIT'])).toEqual(['NOOP'])
    expect(await lines(['QUIT\r'])).toEqual([])
    expect(await lines(['QUIT\n'])).toEqual([])
  })

  it('takes an overlong line for one line, without keeping it', async () => {
    const long = Buffer.alloc(1_000_000, 'x')
    expect(await lines([long, long, '\r\nNOOP\r\n'])).toEqual(['(overlong)', 'NOOP'])
    expect(await lines([Buffer.alloc(12_288, 'x'), '\r\n'])).toEqual(['x'.repeat(12_288)])
    expect(await lines([Buffer.alloc(12_289, 'x'), '\r\n'])).toEqual(['(overlong)'])
  })

  it('hands out nothing any more once it is retired', async () => {
    const seen: string[] = []
    const parser = new CommandParser({
      onLine: line => {
        seen.push(line.kind)
        parser.isClosed = true
        return Promise.resolve()
      },
      onOctets: () => undefined,
    })
    parser.write('STARTTLS\r\nMAIL FROM:<>\r\n')
    parser.write('RCPT TO:<bob@example.net>\r\n')
    parser.end()
    await once(parser, 'finish')
    expect(seen).toHaveLength(1)
  })
})
