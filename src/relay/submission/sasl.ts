import type { Reply } from '../../mail/reply.ts'
import { reply, WRONG_PASSWORD } from './replies.ts'

/** What a finished exchange has brought. */
type SaslResult =
  | { readonly kind: 'credentials'; readonly login: string; readonly password: string }
  | { readonly kind: 'refused'; readonly reply: Reply }

/** Yields challenges in base64, is given the client's lines, returns what came of it (RFC 4954 section 4). */
export type SaslExchange = Generator<string, SaslResult, string>

const ABORTED: SaslResult = refused(501, '5.7.0', 'Authentication aborted')
const NOT_BASE64: SaslResult = refused(501, '5.5.2', 'Not base64')
const MALFORMED: SaslResult = refused(501, '5.5.2', 'Malformed credentials')
const WRONG: SaslResult = { kind: 'refused', reply: WRONG_PASSWORD }

export const MECHANISMS = ['PLAIN', 'LOGIN'] as const

/**
 * Begins the exchange that `AUTH` asks for.
 *
 * @param argument mechanism and, where given, initial response
 */
export function startSasl(
  argument: string,
): SaslExchange | { readonly kind: 'refused'; readonly reply: Reply } {
  const [mechanism = '', initial, ...more] = argument.split(/ +/)
  if (mechanism === '' || more.length > 0) {
    return { kind: 'refused', reply: reply(501, '5.5.4', 'Syntax: AUTH mechanism') }
  }
  switch (mechanism.toUpperCase()) {
    case 'PLAIN':
      return plain(initial)
    case 'LOGIN':
      return loginMechanism(initial)
    default:
      return { kind: 'refused', reply: reply(504, '5.5.4', 'Unknown mechanism') }
  }
}

/**
 * EXTERNAL (RFC 4422 appendix A), with the login as initial response: who it is was found out before.
 *
 * @returns the login that is meant
 */
export function readExternal(
  argument: string,
):
  | { readonly kind: 'login'; readonly login: string }
  | { readonly kind: 'refused'; readonly reply: Reply } {
  const [mechanism = '', initial, ...more] = argument.split(/ +/)
  if (mechanism.toUpperCase() !== 'EXTERNAL') {
    return { kind: 'refused', reply: reply(504, '5.5.4', 'Unknown mechanism') }
  }
  if (initial === undefined || more.length > 0) {
    return { kind: 'refused', reply: reply(501, '5.5.4', 'Syntax: AUTH EXTERNAL login') }
  }
  const login = decodeResponse(initial, true)
  if (login === undefined) return { kind: 'refused', reply: reply(501, '5.5.2', 'Not base64') }
  return { kind: 'login', login: readText(login.toString('latin1')) }
}

/** RFC 4616. */
function* plain(initial: string | undefined): SaslExchange {
  const response = initial ?? (yield '')
  if (initial === undefined && response === '*') return ABORTED
  const octets = decodeResponse(response, initial !== undefined)
  if (octets === undefined) return NOT_BASE64
  const parts = octets.toString('latin1').split('\0')
  if (parts.length !== 3) return MALFORMED
  const [authzid = '', authcid = '', password = ''] = parts.map(readText)
  // Acting as somebody else is not offered. An empty authcid is not repaired from the authzid.
  if (authzid !== '' && authzid !== authcid) return WRONG
  return credentials(authcid, password)
}

/** Never standardised, and what Outlook speaks: draft-murchison-sasl-login. */
function* loginMechanism(initial: string | undefined): SaslExchange {
  const first = initial ?? (yield Buffer.from('Username:').toString('base64'))
  if (initial === undefined && first === '*') return ABORTED
  const login = decodeResponse(first, initial !== undefined)
  if (login === undefined) return NOT_BASE64
  const second = yield Buffer.from('Password:').toString('base64')
  if (second === '*') return ABORTED
  const password = decodeResponse(second, false)
  if (password === undefined) return NOT_BASE64
  return credentials(readText(login.toString('latin1')), readText(password.toString('latin1')))
}

/** @returns undefined where it is not base64 by the letter (RFC 4648 section 3.3; RFC 4954 section 4) */
function decodeResponse(text: string, isInitial: boolean): Buffer | undefined {
  // RFC 4954 section 4: an initial response of no octets is written as "=".
  if (isInitial && text === '=') return Buffer.alloc(0)
  const octets = Buffer.from(text, 'base64')
  // Node's decoder skips what it does not know; what it read must be what was written.
  return octets.toString('base64') === text ? octets : undefined
}

/** Octets as UTF-8 (RFC 4616 section 2); U+FFFD in the result shows where they are not. */
function readText(octets: string): string {
  return Buffer.from(octets, 'latin1').toString('utf8')
}

function credentials(login: string, password: string): SaslResult {
  if (/[\u0000-\u001f\u007f-\u009f\ufffd]/.test(login)) return MALFORMED
  // Nobody has an empty name, an empty password, or one this long; crypt() is not asked about them.
  const wrong = login === '' || password === '' || /[\0\ufffd]/.test(password)
  if (wrong || login.length > 320 || Buffer.byteLength(password) > 512) return WRONG
  return { kind: 'credentials', login, password }
}

function refused(code: number, enhanced: string, text: string): SaslResult {
  return { kind: 'refused', reply: reply(code, enhanced, text) }
}
