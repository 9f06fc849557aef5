import { codeOf, messageOf } from '../base/problem.ts'
import { printable } from '../mail/reply.ts'
import { DeadlineError } from './deadline.ts'
import type { Blindness } from './model.ts'
import { SignInError } from './seed.ts'

/** Why a mailbox could not be read, made of whatever was thrown. The only file that knows imapflow's errors. */
export interface ImapFault {
  readonly blindness: Blindness
  /** For a person; what the server said, in one line. */
  readonly detail: string
  /** A person is needed: trying again before long cannot help, and may lock the account. */
  readonly permanent: boolean
  /** Milliseconds the server wants to be left alone; 0 where it did not say. */
  readonly backOff: number
}

interface Known {
  readonly responseText?: unknown
  readonly response?: unknown
  readonly responseStatus?: unknown
  readonly serverResponseCode?: unknown
  readonly authenticationFailed?: unknown
  readonly throttleReset?: unknown
  readonly reason?: unknown
  readonly _err?: unknown
}

const MAX_DETAIL = 200
// RFC 5530 section 3: these say that trying again may help, whatever command they answer.
const PASSING = new Set(['UNAVAILABLE', 'INUSE', 'LIMIT', 'SERVERBUG', 'CONTACTADMIN', 'THROTTLED'])
const REFUSED = new Set([
  'AUTHENTICATIONFAILED',
  'AUTHORIZATIONFAILED',
  'EXPIRED',
  'PRIVACYREQUIRED',
])

/** Judges what connecting, signing in or reading has thrown. */
export function imapFault(error: unknown): ImapFault {
  if (error instanceof DeadlineError) return passing(error.message)
  // Not permanent, though a person is needed: nobody was asked, and it goes on as soon as somebody has signed in.
  if (error instanceof SignInError) {
    return { blindness: 'sign-in', detail: cut(error.message), permanent: false, backOff: 0 }
  }
  const known = (typeof error === 'object' && error !== null ? error : {}) as Known
  const serverCode = textOf(known.serverResponseCode).toUpperCase()
  const said = textOf(known.responseText) || textOf(known.response) || textOf(known.reason)
  const detail = detailOf(error, known, serverCode, said)
  const backOff = backOffOf(known, said)
  if (backOff > 0) return { ...passing(detail), backOff }
  // imapflow calls every NO to a login a failed one; `NO [UNAVAILABLE]` is the server's own trouble.
  const signIn = known.authenticationFailed === true && !PASSING.has(serverCode)
  if (!signIn) return passing(detail)
  return { blindness: 'sign-in', detail, permanent: isFinal(serverCode, said), backOff: 0 }
}

/** The server has said NO to this one command, and goes on (RFC 9051 section 7.1.2). */
export function isNo(error: unknown): boolean {
  return typeof error === 'object' && error !== null && (error as Known).responseStatus === 'NO'
}

function passing(detail: string): ImapFault {
  return { blindness: 'unreadable', detail, permanent: false, backOff: 0 }
}

function isFinal(serverCode: string, said: string): boolean {
  return (
    REFUSED.has(serverCode) || /basic authentication is disabled|invalid credentials/i.test(said)
  )
}

function backOffOf(known: Known, said: string): number {
  if (typeof known.throttleReset === 'number' && known.throttleReset > 0) return known.throttleReset
  // Outlook: `BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds`
  const suggested = /suggested backoff time: (\d{1,9}) ?milliseconds/i.exec(said)
  return suggested ? Number(suggested[1]) : 0
}

function detailOf(error: unknown, known: Known, serverCode: string, said: string): string {
  if (said === '') {
    const code = codeOf(error)
    const message = messageOf(error)
    return cut(code === '' || message.includes(code) ? message : `${message} (${code})`)
  }
  const status = textOf(known.responseStatus) || (known.authenticationFailed === true ? 'NO' : '')
  const code = serverCode === '' || said.includes(serverCode) ? '' : `[${serverCode}]`
  return cut([status, code, said].filter(part => part !== '').join(' '))
}

function cut(text: string): string {
  return printable(text).slice(0, MAX_DETAIL)
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
