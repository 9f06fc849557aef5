import { describe, expect, test } from 'vitest'

import { newId } from '../../src/base/id.ts'
import { parseHeader, splitMessage } from '../../src/mail/headers.ts'
import { mayBeReport, readBounce } from '../../src/probe/bounce-report.ts'
import { mintToken } from '../../src/probe/token.ts'
import { KEY } from './world.ts'

const ID = newId(() => 1_800_000_000_000)
const TOKEN = mintToken(ID, KEY)
const FORGED = mintToken(ID, Buffer.from('the key of somebody else'))
const VERP = `canary+${TOKEN.toLowerCase()}@example.org`

const message = (...lines: readonly string[]): Buffer => Buffer.from(`${lines.join('\r\n')}\r\n`)

function dsn(options: {
  readonly to?: string
  readonly action?: string
  readonly status?: string
  readonly diagnostic?: string
  readonly returned?: readonly string[]
}): Buffer {
  const { to = 'canary@example.org', action = 'failed', status = '5.7.1', returned = [] } = options
  return message(
    'Return-Path: <>',
    `Delivered-To: ${to}`,
    'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain',
    '',
    'I am sorry.',
    '--b',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.example.net',
    '',
    'Final-Recipient: rfc822; seed@example.net',
    `Action: ${action}`,
    `Status: ${status}`,
    'Remote-MTA: dns; Inner.example.net',
    ...(options.diagnostic === undefined ? [] : [`Diagnostic-Code: smtp; ${options.diagnostic}`]),
    '',
    '--b',
    'Content-Type: text/rfc822-headers',
    '',
    'From: canary@example.org',
    ...returned,
    '',
    '--b--',
  )
}

describe('a report is about a canary', () => {
  test('by the address it was sent to, which nobody but the canary had', () => {
    expect(readBounce(dsn({ to: VERP, diagnostic: '550 5.7.1 Blocked' }), KEY)).toEqual({
      id: ID,
      reply: { code: 550, enhanced: '5.7.1', text: 'Blocked' },
      host: 'inner.example.net',
    })
  })

  test('by the Message-ID of what was returned, where the address tells nothing', () => {
    const returned = [`Message-ID: <${TOKEN}@example.org>`]
    expect(readBounce(dsn({ returned }), KEY)).toMatchObject({ id: ID })
  })

  test('and not by a token that somebody made', () => {
    const returned = [`Message-ID: <${FORGED}@example.org>`]
    const to = `canary+${FORGED.toLowerCase()}@example.org`
    expect(readBounce(dsn({ to, returned }), KEY)).toBeUndefined()
  })
})

describe('what it says', () => {
  test('is its status where it quotes no reply', () => {
    expect(readBounce(dsn({ to: VERP, status: '5.2.2' }), KEY)?.reply).toEqual({
      code: 550,
      enhanced: '5.2.2',
      text: '',
    })
    expect(readBounce(dsn({ to: VERP, status: '4.4.7' }), KEY)?.reply.code).toBe(450)
  })

  test.each(['delayed', 'delivered', 'relayed'])('"%s" is no failure', action => {
    expect(readBounce(dsn({ to: VERP, action }), KEY)).toBeUndefined()
  })
})

describe('reports from before RFC 3464', () => {
  test('of Exim', () => {
    const raw = message(
      'Return-Path: <>',
      `Envelope-To: ${VERP}`,
      'X-Failed-Recipients: seed@example.net',
      'Auto-Submitted: auto-replied',
      '',
      'A message that you sent could not be delivered to one or more of its recipients.',
      '',
      '  seed@example.net',
      '    host mx.example.net [192.0.2.1]',
      '    SMTP error from remote mail server after end of data:',
      '    550 5.7.1 Message rejected as spam',
      '',
      '------ This is a copy of the message, including all the headers. ------',
      'Subject: 552 5.2.2 full',
    )
    expect(readBounce(raw, KEY)).toEqual({
      id: ID,
      reply: { code: 550, enhanced: '5.7.1', text: 'Message rejected as spam' },
      host: '',
    })
  })

  test('of qmail', () => {
    const raw = message(
      'Return-Path: <>',
      `Delivered-To: ${VERP}`,
      '',
      'Hi. This is the qmail-send program at mx.example.net.',
      "I'm afraid I wasn't able to deliver your message to the following addresses.",
      '',
      '<seed@example.net>:',
      '192.0.2.1 failed after I sent the message.',
      'Remote host said: 554 delivery error: dd Sorry, your message cannot be delivered',
    )
    expect(readBounce(raw, KEY)?.reply).toMatchObject({ code: 554 })
  })

  test('the answer of somebody’s holiday program is none', () => {
    const raw = message(
      'Return-Path: <>',
      `Delivered-To: ${VERP}`,
      'Auto-Submitted: auto-replied (vacation)',
      'Subject: Out of office',
      '',
      'I am away until the 550 bus leaves.',
    )
    expect(readBounce(raw, KEY)).toBeUndefined()
  })
})

test('only what may be a report is read beyond its header', () => {
  const fieldsOf = (raw: Buffer): ReturnType<typeof parseHeader> =>
    parseHeader(splitMessage(raw).header)
  expect(mayBeReport(fieldsOf(dsn({})))).toBe(true)
  expect(mayBeReport(fieldsOf(message('Return-Path: <a@example.org>', 'Subject: hi', '')))).toBe(
    false,
  )
})
