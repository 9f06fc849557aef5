import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { completeHeader, messageIdOf, redactedReceived } from '../../src/mail/completion.ts'
import { parseHeader } from '../../src/mail/headers.ts'

const AT = Date.UTC(2026, 10, 23, 12, 0, 5)
const RECEIVED = redactedReceived({
  hostname: 'relay.example.org',
  id: '00KQ1Z3V9ABCDEFG',
  protocol: 'ESMTPSA',
  tls: 'TLSv1.3',
  at: AT,
})
const complete = (section: string, sender?: string) =>
  completeHeader(parseHeader(Buffer.from(section, 'latin1')), {
    received: RECEIVED,
    messageId: '00KQ1Z3V9ABCDEFG@relay.example.org',
    at: AT,
    ...(sender === undefined ? {} : { sender }),
  })
const FULL =
  'Date: Mon, 23 Nov 2026 13:00:00 +0100\r\nFrom: alice@example.org\r\nMessage-ID: <a@example.org>\r\n'

describe('completeHeader', () => {
  it('only puts its Received on top of a complete header', () => {
    const { header, messageId } = complete(FULL)
    expect(header.toString()).toBe(RECEIVED + FULL)
    expect(messageId).toBe('<a@example.org>')
  })

  it('adds Date and Message-ID where they are missing or empty', () => {
    const added = `Date: Mon, 23 Nov 2026 12:00:05 +0000\r\nMessage-ID: <00KQ1Z3V9ABCDEFG@relay.example.org>\r\n`
    for (const client of ['', 'Date:\r\nMessage-ID: \r\n']) {
      const { header, messageId } = complete(`From: alice@example.org\r\n${client}`)
      expect(header.toString()).toBe(`${RECEIVED}${added}From: alice@example.org\r\n`)
      expect(messageId).toBe('<00KQ1Z3V9ABCDEFG@relay.example.org>')
    }
  })

  it('removes Bcc in every spelling, and Return-Path', () => {
    const hidden =
      'Bcc: bob@example.net,\r\n carol@example.net\r\nBCC : dave@example.net\r\nResent-Bcc: x@example.net\r\nReturn-Path: <y@example.net>\r\n'
    expect(complete(hidden + FULL).header.toString()).toBe(RECEIVED + FULL)
  })

  it('adds Sender when asked, and never a second one', () => {
    expect(complete(FULL, 'alice@example.org').header.toString()).toBe(
      `${RECEIVED}Sender: <alice@example.org>\r\n${FULL}`,
    )
    const own = `${FULL}Sender: office@example.org\r\n`
    expect(complete(own, 'alice@example.org').header.toString()).toBe(RECEIVED + own)
  })

  it('leaves the octets of every other field as they are', () => {
    const name = fc.constantFrom('Subject', 'X-Odd ', 'to', 'DKIM-Signature', 'Received')
    const value = fc.constantFrom(
      ' a',
      '\tb',
      '',
      ' gr\u00fc\u00dfe',
      ' one\r\n two',
      ' \r\n x',
      ' "q"',
    )
    const field = fc.tuple(name, value).map(([name, value]) => `${name}:${value}\r\n`)
    fc.assert(
      fc.property(fc.array(field), fields => {
        const section = fields.join('')
        expect(complete(section + FULL).header.toString('latin1')).toBe(RECEIVED + section + FULL)
      }),
    )
  })

  it('ends the last line of a message without a body', () => {
    expect(complete(FULL.trimEnd()).header.toString()).toBe(RECEIVED + FULL)
  })

  it('takes only a well-formed Message-ID for one', () => {
    expect(messageIdOf(' (x) <a@example.org>')).toBe('<a@example.org>')
    for (const text of ['a@example.org', '<a b@example.org>', '<>', '<a\r\n@b>', '<<a>']) {
      expect(messageIdOf(text)).toBe(text === '<<a>' ? '<a>' : '')
    }
  })
})

describe('redactedReceived', () => {
  it('is one folded field that tells neither client nor login', () => {
    expect(RECEIVED).toBe(
      'Received: from localhost (client withheld) (using TLSv1.3)\r\n' +
        '\tby relay.example.org with ESMTPSA id 00KQ1Z3V9ABCDEFG;\r\n' +
        '\tMon, 23 Nov 2026 12:00:05 +0000\r\n',
    )
    expect(parseHeader(Buffer.from(RECEIVED))).toHaveLength(1)
  })
})
