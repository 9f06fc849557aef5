import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'

import { HOUR, MINUTE } from '../../src/base/clock.ts'
import { buildReport } from '../../src/mail/dsn.ts'
import { noReply, parseReply, type Reply } from '../../src/mail/reply.ts'
import { readReport } from '../../src/mail/report-reader.ts'
import type { Report, ReportedRecipient } from '../../src/mail/report.ts'
import { encodeXtext } from '../../src/mail/xtext.ts'
import { missing } from '../support/server-process.ts'

const AT = Date.UTC(2026, 10, 23, 12, 0, 5)
const HEADER = Buffer.from(
  'Received: from localhost (client withheld)\r\n\tby relay.example.org with ESMTPSA id 00KQ1Z3V9ABCDEFG;\r\n\tMon, 23 Nov 2026 12:00:05 +0000\r\n' +
    'Date: Mon, 23 Nov 2026 13:00:00 +0100\r\nFrom: Alice <alice@example.org>\r\nTo: bob@example.net\r\nSubject: Minutes\r\nMessage-ID: <minutes@example.org>\r\n',
)

function reply(text: string): Reply {
  const parsed = parseReply(text)
  if (parsed === undefined) throw new Error(`no reply: ${text}`)
  return parsed
}

const bob: ReportedRecipient = {
  address: 'bob@example.net',
  reply: reply('550 5.1.1 <bob@example.net>: User unknown'),
  host: 'mx1.example.net',
  class: 'mailbox',
  lastAttemptAt: AT + MINUTE,
}

const base: Report = {
  kind: 'failed',
  id: '00KQ1Z3W00000001',
  hostname: 'relay.example.org',
  at: AT + MINUTE,
  to: 'alice@example.org',
  recipients: [bob],
  arrivedAt: AT,
  originalId: '00KQ1Z3V9ABCDEFG',
  smtputf8: false,
  originalHeader: HEADER,
}

const hostile = `550 5.7.1 spam\r\n\r\n--=_00KQ1Z3W00000001.0--\r\nBcc: eve@example.com\r\nAction: delivered\u0000\u001b[31m\u0085\u2028 gr\u00fc\u00dfe \ud800 ${'x'.repeat(1_200)} ${'word '.repeat(500)}`

const REPORTS: Readonly<Record<string, Report>> = {
  'one-failed': base,
  'three-failed': {
    ...base,
    // Means nothing where we have given up.
    retryUntil: AT + 120 * HOUR,
    recipients: [
      bob,
      {
        address: '"carol d"@example.com',
        reply: reply('554 5.7.1 Blocked using zen.spamhaus.org'),
        host: 'mx.example.com',
        class: 'blocklist',
        lastAttemptAt: AT + MINUTE,
      },
      {
        // A refusal of our own: no other host had a part in it.
        address: 'dave@nomail.example',
        reply: { code: 556, enhanced: '5.1.10', text: 'The domain takes no mail' },
        host: '',
        class: 'mailbox',
        lastAttemptAt: AT + MINUTE,
      },
    ],
  },
  expired: {
    ...base,
    at: AT + 120 * HOUR,
    recipients: [
      {
        ...bob,
        reply: reply('421 4.7.0 [TSS04] Messages temporarily deferred due to user complaints'),
        class: 'reputation',
        expired: true,
        lastAttemptAt: AT + 120 * HOUR,
      },
      {
        address: 'carol@example.com',
        reply: noReply('mx.example.com:25: connect ETIMEDOUT'),
        host: 'mx.example.com',
        class: 'network',
        expired: true,
        lastAttemptAt: AT + 120 * HOUR,
      },
    ],
  },
  delay: {
    ...base,
    kind: 'delayed',
    at: AT + 4 * HOUR,
    retryUntil: AT + 120 * HOUR,
    // A delay never returns the whole message, whatever was asked for.
    original: Buffer.from('must not be here'),
    recipients: [{ ...bob, reply: reply('450 4.2.0 Greylisted'), class: 'transient' }],
  },
  relayed: {
    ...base,
    kind: 'relayed',
    recipients: [{ ...bob, reply: reply('250 2.0.0 Ok: queued as 4XYZ'), class: 'none' }],
  },
  'envid-and-orcpt': {
    ...base,
    envid: encodeXtext('QQ=314+159 x'),
    recipients: [
      { ...bob, orcpt: `rfc822;${encodeXtext('Bob+list@example.net')}` },
      { ...bob, address: 'carol@example.net' },
    ],
  },
  'whole-message': {
    ...base,
    original: Buffer.concat([HEADER, Buffer.from('\r\nHello Bob,\r\n.\r\nGr\u00fc\u00dfe\r\n')]),
  },
  'hostile-reply': {
    ...base,
    recipients: [
      {
        address: 'bob@example.net',
        reply: { code: 550, enhanced: '5.7.1', text: hostile },
        host: 'mx1.example.net\r\nX-Evil: yes',
        class: 'policy',
      },
    ],
    originalHeader: Buffer.concat([
      Buffer.from('--=_00KQ1Z3W00000001.0--\nbare: newline\rbare: return\r\n'),
      HEADER,
    ]),
  },
  smtputf8: {
    ...base,
    to: 'j\u00fcrgen@example.org',
    smtputf8: true,
    recipients: [
      {
        ...bob,
        address: 'b\u00f6b@b\u00fccher.example',
        orcpt: String.raw`utf-8;b\x{F6}b@example.net`,
        reply: reply('550 5.1.1 <b\u00f6b@b\u00fccher.example>: unbekannt'),
      },
    ],
    originalHeader: Buffer.from(
      'From: J\u00fcrgen <j\u00fcrgen@example.org>\r\nSubject: Gr\u00fc\u00dfe\r\nMessage-ID: <gruss@example.org>\r\n',
    ),
  },
}

const golden = (name: string): string => join(import.meta.dirname, 'golden', `${name}.eml`)

describe.each(Object.entries(REPORTS))('the report %s', (name, report) => {
  it('is what it was: MAILCANARY_UPDATE_GOLDEN=1 writes it anew, to be read by a person', () => {
    const built = buildReport(report)
    if (process.env['MAILCANARY_UPDATE_GOLDEN'] === '1') writeFileSync(golden(name), built)
    expect(existsSync(golden(name))).toBe(true)
    expect(built.toString('latin1')).toBe(readFileSync(golden(name), 'latin1'))
  })

  it('is read back by our own reader', () => {
    const read = readReport(buildReport(report))
    expect(read?.recipients.map(r => r.action)).toEqual(report.recipients.map(() => report.kind))
    expect(read?.originalMessageId).toMatch(/^<(?:minutes|gruss)@example\.org>$/)
  })
})

interface Judged {
  readonly defects: readonly string[]
  readonly headerDefects: readonly string[]
  readonly type: string
  readonly reportType: string
  readonly to: string
  readonly messageId: string
  readonly autoSubmitted: string
  readonly parts: readonly string[]
  readonly text: string
  readonly groups: readonly (readonly (readonly [string, string])[])[]
  readonly longest: number
  readonly bare: number
  readonly seven: boolean
}

describe.skipIf(missing('python3'))('reports, as Python reads them', () => {
  const names = Object.keys(REPORTS)
  let judged: Readonly<Record<string, Judged>> = {}
  beforeAll(() => {
    const judge = join(import.meta.dirname, 'judge-reports.py')
    const output = execFileSync('python3', [judge, ...names.map(golden)]).toString()
    judged = JSON.parse(output) as Record<string, Judged>
  })
  const of = (name: string): Judged => {
    const found = judged[golden(name)]
    if (found === undefined) throw new Error(`no report ${name}`)
    return found
  }
  const group = (name: string, index: number): Record<string, string> =>
    Object.fromEntries(of(name).groups[index] ?? [])

  it.each(names)('are well-formed: %s', name => {
    const report = of(name)
    expect(report.defects).toEqual([])
    // Python has no mode in which it would take an address of RFC 6532 without remark.
    const remarks = report.headerDefects.filter(defect => !/^To: .*non-ASCII/i.test(defect))
    expect(name === 'smtputf8' ? remarks : report.headerDefects).toEqual([])
    expect(report.type).toBe('multipart/report')
    expect(report.reportType).toBe('delivery-status')
    expect(report.autoSubmitted).toBe('auto-replied')
    expect(report.messageId).toBe('<00KQ1Z3W00000001@relay.example.org>')
    expect(report.longest).toBeLessThanOrEqual(998)
    expect(report.bare).toBe(0)
    expect(report.groups).toHaveLength(1 + (REPORTS[name]?.recipients.length ?? 0))
  })

  it('name their three parts', () => {
    const three = (status: string, original: string) => [
      'text/plain',
      `message/${status}`,
      original,
    ]
    const headers = three('delivery-status', 'text/rfc822-headers')
    expect(of('one-failed').parts).toEqual(headers)
    expect(of('delay').parts).toEqual(headers)
    expect(of('whole-message').parts).toEqual(three('delivery-status', 'message/rfc822'))
    expect(of('smtputf8').parts).toEqual(three('global-delivery-status', 'message/global-headers'))
  })

  it('say of one failure everything the remote said', () => {
    expect(of('one-failed').to).toBe('alice@example.org')
    expect(group('one-failed', 0)).toEqual({
      'reporting-mta': 'dns; relay.example.org',
      'arrival-date': 'Mon, 23 Nov 2026 12:00:05 +0000',
      'x-queue-id': '00KQ1Z3V9ABCDEFG',
    })
    expect(group('one-failed', 1)).toEqual({
      'final-recipient': 'rfc822; bob@example.net',
      action: 'failed',
      status: '5.1.1',
      'remote-mta': 'dns; mx1.example.net',
      'diagnostic-code': 'smtp; 550 5.1.1 <bob@example.net>: User unknown',
      'last-attempt-date': 'Mon, 23 Nov 2026 12:01:05 +0000',
    })
  })

  it('blame no other host for a refusal of our own', () => {
    const own = group('three-failed', 3)
    expect(own).not.toHaveProperty('remote-mta')
    expect(own['status']).toBe('5.1.10')
    expect(own['diagnostic-code']).toBe('x-mailcanary; 556 5.1.10 The domain takes no mail')
    expect(group('three-failed', 2)['final-recipient']).toBe('rfc822; "carol d"@example.com')
  })

  it('keep the last reply where time ran out', () => {
    expect(group('expired', 1)['status']).toBe('5.4.7')
    expect(group('expired', 1)['diagnostic-code']).toMatch(/^smtp; 421 4\.7\.0 \[TSS04\]/)
    // Nobody replied: then it is no SMTP diagnosis.
    expect(group('expired', 2)['diagnostic-code']).toMatch(/^x-mailcanary; mx\.example\.com/)
  })

  it('say until when we try, in a delay', () => {
    expect(group('delay', 1)).toMatchObject({
      action: 'delayed',
      status: '4.2.0',
      'will-retry-until': 'Sat, 28 Nov 2026 12:00:05 +0000',
    })
    expect(group('three-failed', 1)).not.toHaveProperty('will-retry-until')
    expect(group('relayed', 1)).toMatchObject({ action: 'relayed', status: '2.0.0' })
  })

  it('return ENVID and ORCPT decoded, and only where they were given', () => {
    expect(group('envid-and-orcpt', 0)['original-envelope-id']).toBe('QQ=314+159 x')
    expect(group('envid-and-orcpt', 1)['original-recipient']).toBe('rfc822; Bob+list@example.net')
    expect(group('envid-and-orcpt', 2)).not.toHaveProperty('original-recipient')
    expect(group('one-failed', 0)).not.toHaveProperty('original-envelope-id')
  })

  it('let nothing out of a hostile reply', () => {
    const report = of('hostile-reply')
    expect(report.parts).toHaveLength(3)
    const fields = report.groups.flat().map(([name]) => name)
    expect(fields).not.toContain('bcc')
    expect(fields).not.toContain('x-evil')
    expect(fields.filter(name => name === 'action')).toHaveLength(1)
    expect(report.seven).toBe(true)
    expect(report.text).not.toMatch(/[\u0000\u001b\u0085\u2028]/)
    expect(group('hostile-reply', 1)['diagnostic-code']?.length).toBeLessThan(2_200)
  })

  it('keep addresses outside ASCII as they are where SMTPUTF8 was asked for', () => {
    expect(of('smtputf8').to).toBe('j\u00fcrgen@example.org')
    expect(group('smtputf8', 1)).toMatchObject({
      'final-recipient': 'utf-8; b\u00f6b@xn--bcher-kva.example',
      'original-recipient': 'utf-8; b\u00f6b@example.net',
    })
  })
})

describe('buildReport', () => {
  it('escapes what is not ASCII where the message is', () => {
    const recipient = {
      ...bob,
      address: 'b\u00f6b@example.net',
      reply: reply('550 5.1.1 f\u00fcr'),
    }
    const built = buildReport({ ...base, recipients: [recipient] }).toString('latin1')
    expect(built).toContain(String.raw`Final-Recipient: utf-8; b\x{F6}b@example.net`)
    expect(built).toContain(String.raw`550 5.1.1 f\x{FC}r`)
  })

  it('gives a class to the status that fits what we did', () => {
    const status = (kind: Report['kind'], text: string): string | undefined =>
      readReport(buildReport({ ...base, kind, recipients: [{ ...bob, reply: reply(text) }] }))
        ?.recipients[0]?.status
    expect(status('failed', '550 no')).toBe('5.0.0')
    expect(status('failed', '452 4.2.2 full')).toBe('5.2.2')
    expect(status('delayed', '421 busy')).toBe('4.0.0')
  })

  it('returns at most 64 KiB of a header section, in whole lines', () => {
    const originalHeader = Buffer.from(`X-Long: ${'x'.repeat(70)}\r\n`.repeat(3_000))
    const read = readReport(buildReport({ ...base, originalHeader }))
    expect(read?.originalHeader?.length).toBeLessThanOrEqual(64 * 1024)
    const lines = new Set(read?.originalHeader?.toString().split('\r\n'))
    expect([...lines]).toEqual([`X-Long: ${'x'.repeat(70)}`, ''])
  })

  it('stays one report with one recipient whatever the remote says', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 3_000 }),
      fc
        .array(
          fc.constantFrom(
            '\r\n',
            '\n',
            '\r',
            '--=_',
            '00KQ1Z3W00000001.0',
            ': ',
            'Action',
            ' ',
            '\u0000',
          ),
        )
        .map(parts => parts.join('')),
    )
    fc.assert(
      fc.property(text, text, text, fc.boolean(), (said, host, address, smtputf8) => {
        const recipient = {
          ...bob,
          address,
          host,
          reply: { code: 550, enhanced: '5.1.1', text: said },
        }
        const built = buildReport({ ...base, smtputf8, recipients: [recipient] })
        const read = readReport(built)
        expect(read?.recipients).toHaveLength(1)
        expect(read?.recipients[0]).toMatchObject({ action: 'failed', status: '5.1.1' })
        expect(read?.originalMessageId).toBe('<minutes@example.org>')
        expect(built.toString('latin1')).not.toMatch(/\r(?!\n)|(?<!\r)\n|\0/)
        if (!smtputf8) expect(built.every(octet => octet < 128)).toBe(true)
      }),
    )
  })
})
