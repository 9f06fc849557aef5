import { SECOND } from '../base/clock.ts'
import type { AuthResults } from '../mail/authentication-results.ts'
import { parseDate } from '../mail/date.ts'
import { type HeaderField, parseHeader, valuesOf } from '../mail/headers.ts'
import { readReceived } from '../mail/received-chain.ts'
import type { FoundMessage } from './mailbox.ts'
import type { ArrivalSource, Canary, Sighting } from './model.ts'

/** By how much the clocks of an origin, a provider and ours may differ. */
export const SKEW = 90 * SECOND

/** The fields of a found message. */
export function fieldsOf(message: FoundMessage): readonly HeaderField[] {
  return parseHeader(Buffer.from(message.header, 'latin1'))
}

/**
 * Makes a sighting of a message whose token was verified.
 *
 * @param sentAt when the canary was begun, milliseconds since the epoch
 * @param seenAt when the reading that found it ended
 * @param provider what the provider wrote about it: its checks, and how it got it
 */
export function sightingOf(
  message: FoundMessage,
  fields: readonly HeaderField[],
  sentAt: number,
  seenAt: number,
  provider: { readonly auth: AuthResults; readonly tls?: string },
): Sighting {
  const arrival = arrivalOf(message, fields, sentAt, seenAt)
  return {
    folder: message.folder,
    placement: message.placement,
    uid: message.uid,
    uidValidity: message.uidValidity,
    arrivedAt: arrival.at,
    arrivalSource: arrival.source,
    seenAt,
    ...(message.tab === undefined ? {} : { tab: message.tab }),
    ...provider,
    header: message.header,
  }
}

/**
 * When a message arrived: by INTERNALDATE where that can be true, else by the topmost Received, which the provider
 * wrote, else when it was seen.
 */
function arrivalOf(
  message: FoundMessage,
  fields: readonly HeaderField[],
  sentAt: number,
  seenAt: number,
): { readonly at: number; readonly source: ArrivalSource } {
  const possible = (at: number | undefined): at is number =>
    at !== undefined && at >= sentAt - SKEW && at <= seenAt + SKEW
  // Nothing arrives after it was seen, though the provider's clock may be ahead of ours.
  if (possible(message.internalDate)) {
    return { at: Math.min(message.internalDate, seenAt), source: 'internaldate' }
  }
  // RFC 5321 section 4.4: the date follows the last semicolon.
  const received = valuesOf(fields, 'received')[0]
  const stamp = received === undefined ? undefined : parseDate(received.split(';').at(-1) ?? '')
  if (possible(stamp)) return { at: Math.min(stamp, seenAt), source: 'received' }
  return { at: seenAt, source: 'detection' }
}

/**
 * Whether a Received field was written by the origin: it has the queue id of its 250 reply, or says `by` one of its
 * names. What stands above is the provider's own.
 */
export function wroteReceived(value: string, canary: Canary, names: readonly string[]): boolean {
  const hop = readReceived(value)
  return (canary.queueId !== '' && hop.id === canary.queueId) || names.includes(hop.by)
}
