import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { mimeParts } from '../../src/mail/mime.ts'
import { readReport } from '../../src/mail/report-reader.ts'

const crlf = (lines: readonly string[]): Buffer => Buffer.from(`${lines.join('\r\n')}\r\n`)

const POSTFIX = crlf([
  'Return-Path: <>',
  'From: MAILER-DAEMON@mx.example.net (Mail Delivery System)',
  'Auto-Submitted: auto-replied',
  'MIME-Version: 1.0',
  'Content-Type: multipart/report; report-type=delivery-status;',
  '\tboundary="4XYZ.1763899200/mx.example.net"',
  '',
  'This is a MIME-encapsulated message.',
  '',
  '--4XYZ.1763899200/mx.example.net',
  'Content-Description: Notification',
  'Content-Type: text/plain; charset=us-ascii',
  '',
  'I\u2019m sorry to have to inform you --4XYZ.1763899200/mx.example.net',
  '',
  '--4XYZ.1763899200/mx.example.net',
  'Content-Description: Delivery report',
  'Content-Type: message/delivery-status',
  '',
  'Reporting-MTA: dns; mx.example.net',
  'Original-Envelope-Id: canary-1',
  'X-Postfix-Queue-ID: 4XYZ',
  'Arrival-Date: Mon, 23 Nov 2026 12:00:00 +0000 (UTC)',
  '',
  'Final-Recipient: rfc822; bob@example.com',
  'Original-Recipient: rfc822;bob@example.com',
  'Action: failed',
  'Status: 5.1.1',
  'Remote-MTA: dns; MX.example.com',
  'Diagnostic-Code: smtp; 550 5.1.1 <bob@example.com>: Recipient address',
  '    rejected: User unknown',
  '',
  '--4XYZ.1763899200/mx.example.net',
  'Content-Description: Undelivered Message',
  'Content-Type: message/rfc822',
  '',
  'From: alice@example.org',
  'Message-ID: <canary-1@example.org>',
  '',
  'Hello',
  '',
  '--4XYZ.1763899200/mx.example.net--',
])

// No Reporting-MTA group of its own, bare newlines, types left out, a base64 part, no end.
const SLOPPY = Buffer.from(
  `Content-Type: MULTIPART/REPORT; Report-Type="delivery-status" (sic); Boundary=abc

--abc
Content-Type: Message/Delivery-Status
Content-Transfer-Encoding: BASE64

${Buffer.from('Final-Recipient: <bob@example.com>\nAction: Failed (mailbox full)\nStatus: 5.2.2 (full)\nDiagnostic-Code: 552 5.2.2 full\n\nOriginal-Recipient: rfc822;carol@example.com\nAction: delayed\n').toString('base64')}
--abc
Content-Type: text/rfc822-headers
Content-Transfer-Encoding: quoted-printable

Message-ID: <canary=2D2@example=
.org>
`,
)

describe('readReport', () => {
  it('reads what Postfix writes', () => {
    const report = readReport(POSTFIX)
    expect(report).toMatchObject({
      recipients: [
        {
          finalRecipient: 'bob@example.com',
          action: 'failed',
          status: '5.1.1',
          diagnostic: '550 5.1.1 <bob@example.com>: Recipient address rejected: User unknown',
          remoteMta: 'mx.example.com',
        },
      ],
      originalEnvelopeId: 'canary-1',
      originalMessageId: '<canary-1@example.org>',
    })
    expect(report?.originalHeader?.toString()).toBe(
      'From: alice@example.org\r\nMessage-ID: <canary-1@example.org>\r\n',
    )
  })

  it('reads what breaks the rules but can be read', () => {
    expect(readReport(SLOPPY)).toMatchObject({
      recipients: [
        {
          finalRecipient: 'bob@example.com',
          action: 'failed',
          status: '5.2.2',
          diagnostic: '552 5.2.2 full',
          remoteMta: '',
        },
        { finalRecipient: 'carol@example.com', action: 'delayed', status: '', diagnostic: '' },
      ],
      originalMessageId: '<canary-2@example.org>',
    })
  })

  it('finds a report that was wrapped in another multipart', () => {
    const wrapped = Buffer.concat([
      Buffer.from('Content-Type: multipart/mixed; boundary=outer\r\n\r\n--outer\r\n'),
      POSTFIX,
      Buffer.from('\r\n--outer--\r\n'),
    ])
    expect(readReport(wrapped)?.originalMessageId).toBe('<canary-1@example.org>')
  })

  it('takes nothing else for a report', () => {
    expect(readReport(Buffer.from(''))).toBeUndefined()
    expect(readReport(Buffer.from('Subject: Undelivered mail\r\n\r\nSorry'))).toBeUndefined()
    // One that is quoted inside a forwarded message is not about us.
    const forwarded = Buffer.concat([Buffer.from('Content-Type: message/rfc822\r\n\r\n'), POSTFIX])
    expect(readReport(forwarded)).toBeUndefined()
    const empty = 'Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; a\r\n'
    expect(readReport(Buffer.from(empty))).toBeUndefined()
  })

  it('never throws, whatever is cut from or put into a report', () => {
    const cut = fc.tuple(
      fc.nat(POSTFIX.length),
      fc.nat(POSTFIX.length),
      fc.uint8Array({ maxLength: 20 }),
    )
    fc.assert(
      fc.property(cut, ([a, b, noise]) => {
        const raw = Buffer.concat([POSTFIX.subarray(0, a), noise, POSTFIX.subarray(b)])
        for (const fate of readReport(raw)?.recipients ?? []) {
          expect(fate.action).toMatch(/^[a-z]*$/)
          expect(fate.status).toMatch(/^(?:[245]\.\d{1,3}\.\d{1,3})?$/)
        }
      }),
    )
  })
})

describe('mimeParts', () => {
  it('ends at a depth and a number', () => {
    let deep = Buffer.from('Content-Type: text/plain\r\n\r\nx')
    for (let n = 0; n < 50; n++) {
      deep = Buffer.concat([
        Buffer.from(`Content-Type: multipart/mixed; boundary=b${n}\r\n\r\n--b${n}\r\n`),
        deep,
        Buffer.from(`\r\n--b${n}--\r\n`),
      ])
    }
    // What lies deeper is one part, not looked into.
    expect(mimeParts(deep).map(part => part.type)).toEqual(['multipart/mixed'])
    const wide = `Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\nx\r\n'.repeat(5_000)}`
    expect(mimeParts(Buffer.from(wide)).length).toBeLessThanOrEqual(100)
  })

  it('does not take a longer boundary for its own', () => {
    const raw =
      'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\none\r\n--bc\r\ntwo\r\n--b--\r\nthree'
    expect(mimeParts(Buffer.from(raw)).map(part => part.content.toString())).toEqual([
      'one\r\n--bc\r\ntwo',
    ])
  })
})
