import { describe, expect, it } from 'vitest'

import { FAILURE_CLASSES } from '../../src/mail/outcome.ts'
import {
  classify,
  findProvider,
  findRule,
  OTHER_PROVIDER,
  providerOfHost,
} from '../../src/mail/provider-table.ts'
import type { Provider, ReplyRule } from '../../src/mail/provider.ts'
import { PROVIDERS } from '../../src/mail/providers.ts'
import { GENERIC_RULES } from '../../src/mail/providers/generic.ts'
import { noReply, parseReply, type Reply } from '../../src/mail/reply.ts'

const reply = (text: string): Reply => {
  const parsed = parseReply(text)
  if (parsed === undefined) throw new Error(`no reply: ${text}`)
  return parsed
}

const tables: readonly (readonly [string, readonly ReplyRule[]])[] = [
  ...PROVIDERS.map(provider => [provider.name, provider.replyRules] as const),
  ['generic', GENERIC_RULES],
]

describe.each(tables.filter(([, rules]) => rules.length > 0))(
  'the reply rules of %s',
  (name, rules) => {
    it.each(rules.map(rule => [rule.sample, rule] as const))('read %s', (sample, rule) => {
      // The rule itself, not another one with the same class: a rule in the shadow of another is dead.
      expect(findRule(reply(sample), rules)).toBe(rule)
      const provider = findProvider(name)
      expect(classify(reply(sample), name === 'generic' ? undefined : provider)).toBe(rule.class)
    })

    it('hold no rule that is true of every reply, and none for success', () => {
      for (const rule of rules) {
        expect(rule.codes ?? rule.enhanced ?? rule.text).toBeDefined()
        expect(rule.class).not.toBe('none')
        // A rule with the flag g would remember where it stopped.
        expect(rule.text?.flags ?? '').not.toMatch(/[gy]/)
      }
    })
  },
)

describe('classify', () => {
  const gmail = findProvider('gmail')
  const hotmail = findProvider('hotmail')
  const yahoo = findProvider('yahoo')

  it.each([
    // Code for code as Google, Microsoft and Yahoo list them.
    ['421 4.3.0 Temporary System Problem. Try again later. gsmtp', gmail, 'transient'],
    ['421 4.7.0 Connection expired, try reconnecting. gsmtp', gmail, 'transient'],
    [
      '421 4.7.27 Your email has been rate limited because SPF authentication failed',
      gmail,
      'authentication',
    ],
    ['550 5.7.27 This mail is unauthenticated', gmail, 'authentication'],
    ['421 4.7.40 This mail has been rate limited: no DMARC record', gmail, 'authentication'],
    ['421 4.7.29 This mail was not sent over a TLS connection', gmail, 'tls'],
    [
      '450 4.2.1 The user you are trying to contact is receiving mail too quickly',
      gmail,
      'mailbox',
    ],
    ['550 5.2.1 The email account that you tried to reach is inactive', gmail, 'mailbox'],
    [
      '550 5.7.1 Messages with multiple addresses in From: header are not accepted',
      gmail,
      'content',
    ],
    ['421 RP-003 The mail server IP has reached a connection limit', hotmail, 'reputation'],
    ['550 OU-001 Mail rejected by Outlook.com for policy reasons', hotmail, 'policy'],
    ['550 5.7.1 part of their network is on our block list (S3140)', hotmail, 'blocklist'],
    [
      '550 5.7.509 Access denied, sending domain does not pass DMARC verification',
      hotmail,
      'authentication',
    ],
    ['421 4.7.0 [TS04] Messages temporarily deferred', yahoo, 'reputation'],
    ['553 5.7.2 [TSS11] All messages will be permanently deferred', yahoo, 'policy'],
    [
      '553 5.7.1 [BL23] Connections not accepted from IP addresses on Spamhaus XBL',
      yahoo,
      'blocklist',
    ],
    ['554 Message not allowed due to unresolvable RFC.5322 From domain', yahoo, 'authentication'],
    // What a provider's own rules do not know, the generic ones do.
    ['452 4.3.1 Insufficient system resources', hotmail, 'transient'],
    ['550 5.1.1 User unknown', yahoo, 'mailbox'],
    ['550 5.1.10 Recipient not found', findProvider('microsoft365'), 'mailbox'],
    ['450 4.7.1 Greylisted, please try again later', undefined, 'transient'],
    ['421 Too many connections from your host', undefined, 'rate'],
    ['554 5.2.2 Mailbox full', undefined, 'mailbox'],
    ['550 something nobody ever said', undefined, 'other'],
    ['421 4.3.2 Service shutting down', undefined, 'transient'],
    ['250 2.0.0 OK', gmail, 'none'],
  ] as const)('says of %s why', (text, provider, expected) => {
    expect(classify(reply(text), provider)).toBe(expected)
  })

  it('calls it the network where nobody said anything', () => {
    expect(classify(noReply('550 connection refused'), gmail)).toBe('network')
  })

  it('knows only classes of the closed set', () => {
    const classes = new Set<string>(FAILURE_CLASSES)
    for (const [, rules] of tables) for (const rule of rules) expect(classes).toContain(rule.class)
  })
})

describe('providerOfHost', () => {
  it.each([
    ['gmail-smtp-in.l.google.com', 'gmail'],
    ['ASPMX.L.GOOGLE.COM.', 'gmail'],
    ['aspmx2.googlemail.com', 'gmail'],
    ['hotmail-com.olc.protection.outlook.com', 'hotmail'],
    ['example-org.mail.protection.outlook.com', 'microsoft365'],
    ['example-org.a-v1.mx.microsoft', 'microsoft365'],
    ['mta5.am0.yahoodns.net', 'yahoo'],
    ['mx01.mail.icloud.com', 'icloud'],
    ['mx1.riseup.net', 'riseup'],
    ['evilgoogle.com', 'other'],
    ['mx.google.com.example.org', 'other'],
    ['protection.outlook.com', 'other'],
    ['[192.0.2.1]', 'other'],
    ['', 'other'],
    ['__proto__', 'other'],
  ])('takes %s for %s', (host, provider) => {
    expect(providerOfHost(host)).toBe(provider)
  })

  it('prefers the longest suffix, whatever the order of the rows', () => {
    const row = (name: string, suffix: string): Provider => ({
      name,
      mxSuffixes: [suffix],
      junkNames: [],
      authHosts: [],
      replyRules: [],
      verified: 'live',
    })
    const rows = [row('wide', '.example.net'), row('narrow', '.eu.example.net')]
    expect(providerOfHost('mx.eu.example.net', rows)).toBe('narrow')
    expect(providerOfHost('mx.eu.example.net', rows.toReversed())).toBe('narrow')
    expect(findProvider('wide', rows)).toBe(rows[0])
    expect(findProvider('gmail', rows)).toBeUndefined()
  })
})

describe('the table of providers', () => {
  it('has well-formed names, each once, and suffixes with their dot', () => {
    const names = PROVIDERS.map(provider => provider.name)
    expect(new Set(names).size).toBe(names.length)
    expect(names).toContain(OTHER_PROVIDER)
    for (const provider of PROVIDERS) {
      expect(provider.name).toMatch(/^[a-z0-9-]+$/)
      for (const suffix of provider.mxSuffixes) expect(suffix).toMatch(/^\.[a-z0-9.-]+$/)
    }
  })
})
