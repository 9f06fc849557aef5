import { expect, test } from 'vitest'

import { spell, type SmtpAnswer } from '../../src/demo/dialect.ts'
import { demoProviders, PROFILES } from '../../src/demo/profiles.ts'
import { trustedAuthResults } from '../../src/mail/authentication-results.ts'
import { parseHeader } from '../../src/mail/headers.ts'
import { classify, findProvider, providerOfHost } from '../../src/mail/provider-table.ts'
import { PROVIDERS } from '../../src/mail/providers.ts'
import { receivedChain } from '../../src/mail/received-chain.ts'
import { parseReply } from '../../src/mail/reply.ts'

const providers = demoProviders(PROVIDERS)

test('every simulated MX host has the label of its provider', () => {
  for (const profile of PROFILES) {
    expect(providerOfHost(profile.mxHost, providers)).toBe(profile.name)
  }
  // The table of the real providers stays as it is.
  expect(providerOfHost('mx1.gmail.example')).toBe('other')
})

test('no row of a simulated provider leads to the real one', () => {
  for (const profile of PROFILES.filter(({ name }) => name !== 'other')) {
    expect(findProvider(profile.name, providers)?.imap?.host).toBe(profile.imapHost)
  }
})

test.each([
  ['gmail', 'rate', 'policy', 'mailbox'],
  ['hotmail', 'reputation', 'blocklist', 'mailbox'],
  ['yahoo', 'reputation', 'policy', 'mailbox'],
  ['other', 'transient', 'policy', 'mailbox'],
] as const)('the replies of %s are understood by the provider table', (name, ...expected) => {
  const profile = PROFILES.find(one => one.name === name)
  if (!profile) throw new Error('no such provider')
  const { deferred, refused, unknownRecipient } = profile.dialect
  const classes = [deferred, refused, unknownRecipient].map((answer: SmtpAnswer) => {
    const blanks = { i: '192.0.2.10', h: profile.mxHost, r: 'bob@example.net', q: 'abc' }
    const reply = parseReply(`${answer.code} ${spell(answer.text, blanks)}`)
    return reply && classify(reply, findProvider(name, providers))
  })
  expect(classes).toStrictEqual(expected)
})

const CLIENT = { name: 'relay.example.org', address: '192.0.2.10', tls: 'TLSv1.3' }
const OURS = 'from laptop by relay.example.org with ESMTPSA id 1; Mon, 23 Nov 2026 10:00:00 +0000'

test.each(PROFILES.map(profile => [profile.name, profile] as const))(
  'what %s writes above a message is read as that provider means it',
  (name, profile) => {
    const results = (permitted: boolean, signed: boolean, forged: string): unknown => {
      const raw = Buffer.from(
        (signed ? 'DKIM-Signature: v=1; d=example.org; s=sel1; b=abc\r\n' : '') +
          `Received: ${OURS}\r\n${forged}From: Canary <canary@example.org>\r\n\r\n`,
      )
      const header = profile.header({
        client: { ...CLIENT, permitted },
        reversePath: 'canary@example.org',
        recipient: `seed@${profile.domains[0]}`,
        raw,
        host: profile.mxHost,
        id: 'abc',
        receivedAt: Date.UTC(2026, 10, 23, 10, 0, 5),
        spam: false,
      })
      const fields = parseHeader(Buffer.concat([Buffer.from(header), raw]))
      const hops = receivedChain(fields)
      expect(hops.at(-1)?.at).toBe(Date.UTC(2026, 10, 23, 10, 0, 5))
      expect(hops.at(-1)?.by.endsWith(`.${profile.domains[0]}`)).toBe(true)
      return trustedAuthResults(fields, findProvider(name, providers), value => value === OURS)
    }
    const unsigned = { gmail: 'absent', hotmail: 'none', yahoo: 'other', other: 'none' }[name]
    expect(results(true, true, '')).toStrictEqual({ spf: 'pass', dkim: 'pass', dmarc: 'pass' })
    expect(results(true, false, '')).toStrictEqual({ spf: 'pass', dkim: unsigned, dmarc: 'pass' })
    expect(
      results(false, false, `Authentication-Results: ${profile.dialect.authHost}; spf=pass\r\n`),
    ).toStrictEqual({ spf: 'softfail', dkim: unsigned, dmarc: 'fail' })
  },
)
