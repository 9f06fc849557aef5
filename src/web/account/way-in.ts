import type { FastifyRequest } from 'fastify'

import { AddressRanges, LOOPBACK_RANGES } from '../../base/network-range.ts'
import { networkOf } from '../../relay/submission/network.ts'

/*
 * Passwords are typed here, so the page is only where nobody in between can read them: over our own TLS, from this
 * host, or by way of a proxy that the configuration names and that says that its own side is https.
 */

/** How a request may be trusted; undefined where the page does not exist for it. */
export interface WayIn {
  /** Whether the browser's side is TLS: then the cookie is only for that. */
  readonly secure: boolean
  /** Of the client, as guesses are counted by. */
  readonly network: string
}

const LOCAL = new AddressRanges(LOOPBACK_RANGES)
// Whoever sends one of these is a proxy; one that is not named may be anybody's, and anything may be before it.
const MARKS_OF_PROXIES = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-proto', 'x-real-ip']

/** @param proxies of which `trustProxy` lets the headers count */
export function wayInOf(request: FastifyRequest, proxies: readonly string[]): WayIn | undefined {
  const network = networkOf(request.ip)
  if ('encrypted' in request.socket) return { secure: true, network }
  // By `request.protocol` the header of a proxy that is not named counts for nothing.
  if (proxies.length > 0) {
    return request.protocol === 'https' ? { secure: true, network } : undefined
  }
  const marked = MARKS_OF_PROXIES.some(name => request.headers[name] !== undefined)
  return LOCAL.has(request.ip) && !marked ? { secure: false, network } : undefined
}

/**
 * Whether a form was sent by one of our own pages. Every browser says so in one of two headers (Fetch Metadata, RFC 6454
 * section 7); a page of somebody else cannot forge either.
 */
export function isFromOurPage(request: FastifyRequest): boolean {
  const site = request.headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin'
  const { origin } = request.headers
  return origin !== undefined && URL.parse(origin)?.host === request.host.toLowerCase()
}
