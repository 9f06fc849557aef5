import { dropComments } from './comments.ts'
import { parseDate } from './date.ts'
import type { HeaderField } from './headers.ts'

/** One hop of a message, read from a Received field (RFC 5321 section 4.4). What it does not tell is ''. */
export interface Hop {
  /** The name the sending host gave, lower case. */
  readonly from: string
  /** The receiving host, lower case. */
  readonly by: string
  /** `ESMTPS`, `UTF8SMTPSA`, upper case. */
  readonly protocol: string
  readonly id: string
  /** `TLSv1.3`, `yes` where only the protocol's S tells (RFC 3848), '' where nothing does. */
  readonly tls: string
  /** Milliseconds since the epoch; undefined where the date cannot be read. */
  readonly at: number | undefined
  /**
   * Milliseconds since the hop before; undefined for the first one, and where a date is missing. Negative where
   * two clocks disagree: shown as it is, since hiding it would move the fault to another hop.
   */
  readonly delay: number | undefined
}

const MAX_HOPS = 200
const MAX_VALUE = 8 * 1024

/** The way of a message, first hop first; the order of the fields is the other way round. */
export function receivedChain(fields: readonly HeaderField[]): readonly Hop[] {
  const values = fields.filter(field => field.name === 'received').slice(0, MAX_HOPS)
  const hops: Hop[] = []
  let before: number | undefined
  for (const field of values.toReversed()) {
    const hop = readReceived(field.value)
    const delay = hop.at === undefined || before === undefined ? undefined : hop.at - before
    hops.push({ ...hop, delay })
    before = hop.at ?? before
  }
  return hops
}

/**
 * The hop by which a provider got a message: the first one above the sender's own at a host of the provider, or the
 * first one where its hosts are not known. What lies above is the provider's inner way.
 *
 * @param suffixes of the provider's host names, each with its leading dot
 * @param isOurs tells by its value whether a Received field was written by the sender
 * @returns undefined where the sender wrote none: then nobody knows which hop is which
 */
export function entryHop(
  fields: readonly HeaderField[],
  suffixes: readonly string[],
  isOurs: (receivedValue: string) => boolean,
): Hop | undefined {
  const values = fields.filter(field => field.name === 'received').slice(0, MAX_HOPS)
  const ours = values.findIndex(field => isOurs(field.value))
  const hops = values
    .slice(0, Math.max(ours, 0))
    .toReversed()
    .map(field => readReceived(field.value))
  return hops.find(({ by }) => suffixes.some(suffix => `.${by}`.endsWith(suffix))) ?? hops[0]
}

/** Reads the value of one Received field, in the many forms that are written. Never fails. */
export function readReceived(value: string): Hop {
  const text = value.slice(0, MAX_VALUE).replaceAll(/\s+/g, ' ')
  const semicolon = text.lastIndexOf(';')
  const stamp = semicolon < 0 ? text : text.slice(0, semicolon)
  // Clauses are read outside comments: `(envelope-from <by@example.org>)` is no `by`.
  const bare = dropComments(stamp)
  const clause = (name: string): string =>
    new RegExp(`(?:^| )${name} +([^\\s;()]+)`, 'i').exec(bare)?.[1] ?? ''
  const protocol = clause('with').toUpperCase()
  return {
    from: clause('from').toLowerCase().replace(/\.$/, ''),
    by: clause('by').toLowerCase().replace(/\.$/, ''),
    protocol,
    id: clause('id').replaceAll(/[<>]/g, ''),
    tls: tlsOf(stamp, protocol),
    at: semicolon < 0 ? undefined : parseDate(text.slice(semicolon + 1)),
    delay: undefined,
  }
}

/** `version=TLS1_3` (Gmail, Exim), `using TLSv1.3` (Postfix), `TLS1.2:` (Exim), `version=TLS1_2` (Outlook). */
function tlsOf(stamp: string, protocol: string): string {
  const version = /\bTLS ?v?1(?:[._]([0-3]))?(?![0-9])/i.exec(stamp)
  if (version) return `TLSv1.${version[1] ?? '0'}`
  return /^(?:UTF8)?(?:ESMTP|SMTP|LMTP)SA?$/.test(protocol) ? 'yes' : ''
}
