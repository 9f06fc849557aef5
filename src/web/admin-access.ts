import { createHash, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'

import { Problem } from '../base/problem.ts'
import type { Secret } from '../base/secret.ts'

/** Whether an address only reaches programs of the same host. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** @throws Problem where the listener would tell strangers, or tell anybody in clear text */
export function checkExposure(options: {
  readonly host: string
  readonly hasTls: boolean
  readonly token?: Secret
}): void {
  const { host, hasTls, token } = options
  if (isLoopback(host)) return
  if (hasTls && token !== undefined) return
  throw new Problem(
    `The admin listener on ${host} can be reached from other hosts and needs ` +
      'a certificate and a token; or let it listen on 127.0.0.1.',
  )
}

/**
 * Whether the Host of a request is one of ours. A page of a stranger can point its own name at 127.0.0.1 and have a
 * browser here read what we say (DNS rebinding); it cannot take an address for its name.
 *
 * @param host of the Host header, without its port
 * @param names that are ours, besides `localhost` and bare addresses; `*.example.org` is every name right below
 */
export function knowsHost(host: string, names: readonly string[]): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1')
  const parent = name.replace(/^[^.]+/, '*')
  return (
    name === 'localhost' || isIP(name) !== 0 || names.some(one => one === name || one === parent)
  )
}

/**
 * Whether an Authorization header shows the token: as Bearer (RFC 6750 section 2.1), or as the password of Basic
 * (RFC 7617), for programs that know no other way.
 */
export function showsToken(authorization: string, token: Secret): boolean {
  const [scheme = '', value = ''] = authorization.split(' ', 2)
  if (scheme.toLowerCase() === 'bearer') return isToken(value, token)
  if (scheme.toLowerCase() !== 'basic') return false
  const pair = Buffer.from(value, 'base64').toString('utf8')
  return isToken(pair.slice(pair.indexOf(':') + 1), token)
}

/** Compares digests: of equal length, in a time that tells nothing. */
export function isToken(shown: string, token: Secret): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(shown), digest(token.reveal()))
}
