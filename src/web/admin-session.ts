import { createHmac, timingSafeEqual } from 'node:crypto'

import { DAY } from '../base/clock.ts'
import type { Secret } from '../base/secret.ts'

/*
 * A browser that has shown the token once gets a cookie instead of it: when it ends, and an HMAC over that under the
 * token. Nothing is kept, so that a restart logs nobody out; another token logs everybody out.
 */

const LASTS = 7 * DAY
const PURPOSE = 'mailcanary session v1\n'
// The prefix binds the cookie to this host, and to TLS (RFC 6265bis section 4.1.3.2).
const NAME = '__Host-mailcanary'

/** Whether a Cookie header has a session that was made with this token and has not ended. */
export function hasSession(cookies: string, token: Secret, now: number): boolean {
  return cookies.split(/; ?/).some(pair => {
    const [name = '', value = ''] = pair.split('=', 2)
    const [until = '', mac = ''] = value.split('.', 2)
    return name === NAME && Number(until) > now && sameMac(mac, macOf(until, token))
  })
}

/** The Set-Cookie of a new session. Lax, so that a link in an alert finds it. */
export function newSession(token: Secret, now: number): string {
  const until = String(now + LASTS)
  return cookie(`${until}.${macOf(until, token)}`, LASTS / 1_000)
}

/** The Set-Cookie that ends a session. */
export function endedSession(): string {
  return cookie('', 0)
}

function cookie(value: string, seconds: number): string {
  return `${NAME}=${value}; Path=/; Max-Age=${seconds}; Secure; HttpOnly; SameSite=Lax`
}

function macOf(until: string, token: Secret): string {
  return createHmac('sha256', token.reveal()).update(`${PURPOSE}${until}`).digest('base64url')
}

function sameMac(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}
