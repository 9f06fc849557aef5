import { describe, expect, test } from 'vitest'

import { parseHeader } from '../../src/mail/headers.ts'
import { originators } from '../../src/mail/originators.ts'
import { fromField, recipientsOf, senderOf } from '../../src/ssh/sendmail-envelope.ts'
import { readSendmailOptions } from '../../src/ssh/sendmail-options.ts'

function recipients(args: string[], header = ''): readonly string[] {
  return recipientsOf(readSendmailOptions(args), parseHeader(Buffer.from(header)))
}

function sender(args: string[], header = ''): string | undefined {
  return senderOf(readSendmailOptions(args), parseHeader(Buffer.from(header)), 'alice')
}

describe('recipients', () => {
  test('are those of the command line, and with -t those of the header', () => {
    const header =
      'To: Bob <bob@example.net>, x: c@example.net;\nCc: bob@example.net\nBcc: d@example.net\n'
    expect(recipients(['e@example.net'], header)).toEqual(['e@example.net'])
    expect(recipients(['-t', 'e@example.net'], header)).toEqual([
      'e@example.net',
      'bob@example.net',
      'c@example.net',
      'd@example.net',
    ])
    expect(recipients(['Bob <b@example.net>, c@example.net'])).toEqual([
      'b@example.net',
      'c@example.net',
    ])
  })

  test('of a message that is passed on are those it is passed on to', () => {
    const header = 'Resent-To: new@example.net\nTo: old@example.net\nBcc: old2@example.net\n'
    expect(recipients(['-t'], header)).toEqual(['new@example.net'])
  })

  test('may be nobody in one field', () => {
    const header = 'To: undisclosed-recipients:;\nCc:\nBcc: d@example.net\n'
    expect(recipients(['-t'], header)).toEqual(['d@example.net'])
  })

  test.each([
    [['x@example.net>\r\nRSET'], '', 67],
    [['bob'], '', 67],
    [[], 'To: bob@example.net\n', 64],
    [['-t'], 'To: undisclosed-recipients:;\n', 64],
    [['-t'], 'To: bob@example.net, bob\n', 65],
  ])('%j %j are refused', (args, header, code) => {
    expect(() => recipients(args, header)).toThrow(expect.objectContaining({ code }))
  })
})

test('the sender is the one that was said, or the one that stands there', () => {
  expect(sender(['-f', 'press@example.org'])).toBe('press@example.org')
  expect(sender(['-f', '<>'], 'From: a@example.org\n')).toBe('')
  expect(sender(['-f', 'Alice'])).toBeUndefined()
  expect(sender([], 'From: A <a@example.org>\n')).toBe('a@example.org')
  expect(sender([], 'From: a@example.org, b@example.org\nSender: b@example.org\n')).toBe(
    'b@example.org',
  )
  expect(sender([], 'From: a@example.org, b@example.org\n')).toBeUndefined()
  expect(sender([], 'From: a@example.org\nFrom: b@example.org\n')).toBeUndefined()
  expect(() => sender(['-f', 'x y'])).toThrow(expect.objectContaining({ code: 64 }))
})

test.each([
  'Alice',
  'A. "Lice" \\ <x@example.net>',
  'Ælice Ünal, '.repeat(9),
  'x\r\nBcc: a@example.net',
  '',
])('a full name is a name and nothing else: %j', name => {
  const fields = parseHeader(Buffer.from(fromField('alice@example.org', name)))
  expect(fields).toHaveLength(1)
  expect(originators(fields)).toMatchObject({ ok: true, from: ['alice@example.org'] })
})
