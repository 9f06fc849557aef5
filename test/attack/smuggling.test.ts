import { describe, expect, it } from 'vitest'

import { NOT_THE_END } from '../conformance/checks/data.ts'
import { segments } from '../conformance/segments.ts'
import { ALICE } from '../relay/submission/fixture.ts'
import { twoHops } from './two-hops.ts'

const SMUGGLED = [
  'MAIL FROM:<mallory@example.com>',
  'RCPT TO:<victim@example.net>',
  'DATA',
  'From: <mallory@example.com>',
  'Subject: smuggled',
  '',
  'boo',
  '',
].join('\r\n')

function content(marker: string, octets: string): string {
  const [from] = ALICE.addresses
  return `From: <${from}>\r\nSubject: ${marker}\r\n\r\nbefore${octets}${SMUGGLED}.\r\n`
}

/*
 * Two servers that disagree on where a message ends make two messages of one, and the second has no login behind it
 * (CVE-2023-51764 and its kin). So the whole relay is asked: what is submitted once is one message at the next hop,
 * whether that is strict or takes any dot on a line for the end.
 */
describe.each(['direct-mx', 'smarthost'] as const)('through %s', way => {
  describe.each([
    ['strict', false],
    ['sloppy', true],
  ] as const)('to a %s next hop', (_, sloppy) => {
    it.each(['reject', 'normalize'] as const)(
      'one submitted message is one message there, bare newlines: %s',
      async bareNewlines => {
        const { nextHop, session, drained } = await twoHops(way, { sloppy }, { bareNewlines })
        const expected: string[] = []
        for (const [name, octets] of NOT_THE_END) {
          for (const cut of [false, true]) {
            const marker = `${name}${cut ? ' in pieces' : ''}`
            const client = await session()
            if (cut) client.cut = segments(name)
            await client.command('MAIL FROM:<alice@example.org>')
            await client.command('RCPT TO:<bob@example.net>')
            expect((await client.command('DATA')).code).toBe(354)
            await client.write(content(marker, octets))
            const answer = await client.reply()
            const bare = /\r(?!\n)|(?<!\r)\n/.test(octets)
            const wanted = bare && bareNewlines === 'reject' ? 550 : 250
            expect(answer.code, `${marker}: ${answer.text}`).toBe(wanted)
            if (wanted === 250) expected.push(marker)
            // Nothing of what came was taken for a command.
            expect((await client.command('QUIT')).code, marker).toBe(221)
          }
        }
        await drained()
        const arrived = nextHop.messages.map(
          ({ data }) => /^Subject: (.*)\r$/m.exec(String(data))?.[1],
        )
        expect(new Set(arrived)).toEqual(new Set(expected))
        expect(arrived).toHaveLength(expected.length)
        for (const { mail, rcpt, data } of nextHop.messages) {
          expect(mail).toContain('<alice@example.org>')
          expect(rcpt.join()).toMatch(/^RCPT TO:<bob@example\.net>[^,]*$/)
          // Whole, with the would-be commands as the text that they are.
          expect(String(data)).toContain('\r\nSubject: smuggled\r\n\r\nboo\r\n')
        }
        expect(nextHop.commands.join('\n')).not.toMatch(/mallory|victim/)
      },
    )
  })
})
