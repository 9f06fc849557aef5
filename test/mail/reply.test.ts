import fc from 'fast-check'
import { expect, test } from 'vitest'

import { formatReply, noReply, parseReply, printable, statusOf } from '../../src/mail/reply.ts'

test.each([
  ['250 2.0.0 OK\r\n', { code: 250, enhanced: '2.0.0', text: 'OK' }],
  ['250', { code: 250, enhanced: '', text: '' }],
  [
    '550 5.1.1 <bob@example.net> unknown',
    { code: 550, enhanced: '5.1.1', text: '<bob@example.net> unknown' },
  ],
  // RFC 2034 section 4: an enhanced code of another class than the reply is only text.
  ['450 5.7.1 odd', { code: 450, enhanced: '', text: '5.7.1 odd' }],
  ['421-4.7.0 slow\r\n421 4.7.0 down', { code: 421, enhanced: '4.7.0', text: 'slow down' }],
])('%j is read', (text, reply) => {
  expect(parseReply(text)).toEqual(reply)
})

test.each(['', 'hello', '199 no', '600 no', '250-a\r\n251 b', '25 short', '2500 long'])(
  '%j is no reply',
  text => {
    expect(parseReply(text)).toBeUndefined()
  },
)

test('what a reply says never reaches us as more than one line', () => {
  expect(printable('a\r\nb\0c\u001b[31md\u0085e')).toBe('a b c [31md e')
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      // oxlint-disable-next-line no-control-regex
      expect(printable(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
    }),
  )
})

test('a reply is written and read back', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 200, max: 599 }),
      fc.stringMatching(/^[a-z ]{0,40}$/),
      (code, words) => {
        const reply = { code, enhanced: `${Math.floor(code / 100)}.1.2`, text: words.trim() }
        if (![2, 4, 5].includes(Math.floor(code / 100))) return
        expect(parseReply(formatReply(reply))).toEqual(reply)
      },
    ),
  )
})

test('a status for a report is the remote’s own, or the class of its code', () => {
  expect(statusOf({ code: 550, enhanced: '5.7.26', text: '' })).toBe('5.7.26')
  expect(statusOf({ code: 550, enhanced: '', text: '' })).toBe('5.0.0')
  expect(statusOf(noReply('connection refused'))).toBe('4.0.0')
})
