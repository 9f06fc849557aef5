import { expect, test } from 'vitest'

import { DeadlineError } from '../../src/probe/deadline.ts'
import { imapFault } from '../../src/probe/imap-errors.ts'

function error(message: string, properties: object): Error {
  return Object.assign(new Error(message), properties)
}

test.each<readonly [string, Error, object]>([
  [
    'a wrong password',
    error('Command failed', {
      authenticationFailed: true,
      serverResponseCode: 'AUTHENTICATIONFAILED',
      response: '[AUTHENTICATIONFAILED] Invalid credentials (Failure)',
    }),
    {
      blindness: 'sign-in',
      permanent: true,
      detail: 'NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)',
    },
  ],
  [
    'a password where only OAuth 2 is taken',
    error('Command failed', {
      authenticationFailed: true,
      response: 'Basic authentication is disabled.',
    }),
    { blindness: 'sign-in', permanent: true, detail: 'NO Basic authentication is disabled.' },
  ],
  [
    'a server that cannot check the password, which imapflow calls a failed login',
    error('Command failed', {
      authenticationFailed: true,
      serverResponseCode: 'UNAVAILABLE',
      response: 'Temporary authentication failure.',
    }),
    { blindness: 'unreadable', permanent: false },
  ],
  [
    'too many connections',
    error('Command failed', {
      authenticationFailed: true,
      serverResponseCode: 'LIMIT',
      response: 'Rate limit hit.',
    }),
    { blindness: 'unreadable', permanent: false, detail: 'NO [LIMIT] Rate limit hit.' },
  ],
  [
    'Outlook that is signed in and not connected',
    error('Command failed', {
      responseStatus: 'BAD',
      responseText: 'User is authenticated but not connected.',
    }),
    { blindness: 'unreadable', detail: 'BAD User is authenticated but not connected.' },
  ],
  [
    'Outlook that wants to be left alone',
    error('Command failed', {
      responseStatus: 'BAD',
      responseText: 'Request is throttled. Suggested Backoff Time: 92415 milliseconds',
    }),
    { blindness: 'unreadable', backOff: 92_415 },
  ],
  [
    'a server that throttles',
    error('x', { code: 'ETHROTTLE', throttleReset: 5_000 }),
    { backOff: 5_000 },
  ],
  [
    'nobody there',
    error('connect ECONNREFUSED 127.0.0.1:993', { code: 'ECONNREFUSED' }),
    { blindness: 'unreadable', detail: 'connect ECONNREFUSED 127.0.0.1:993' },
  ],
  ['a server that hangs', new DeadlineError(30_000), { detail: 'no answer within 30 s' }],
  [
    'a wrong certificate',
    error('Hostname does not match', { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }),
    { blindness: 'unreadable', detail: 'Hostname does not match (ERR_TLS_CERT_ALTNAME_INVALID)' },
  ],
])('%s', (_, thrown, fault) => {
  expect(imapFault(thrown)).toMatchObject(fault)
})

test('a detail is one short line, whatever the server says', () => {
  const fault = imapFault(error('x', { responseText: `a\r\nb\u0007${'c'.repeat(10_000)}` }))
  expect(fault.detail).toMatch(/^a b c+$/)
  expect(fault.detail.length).toBeLessThanOrEqual(200)
})

test.each([undefined, null, 'text', 7, {}])('%s is a fault like any other', thrown => {
  expect(imapFault(thrown)).toMatchObject({ blindness: 'unreadable', permanent: false })
})
