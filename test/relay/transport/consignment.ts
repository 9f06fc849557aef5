import type { Recipient } from '../../../src/mail/envelope.ts'
import type { AddressAnswer, MxAnswer, Resolver } from '../../../src/relay/transport/resolver.ts'
import type { SmtpTimers } from '../../../src/relay/transport/smtp-timers.ts'
import type { Consignment } from '../../../src/relay/transport/transport.ts'

export const MESSAGE = 'From: alice@example.org\r\nSubject: hello\r\n\r\nGood morning.\r\n'

/** Long enough for a busy machine, short enough for a test of silence where that one phase is cut to 50 ms. */
export const TIMERS: SmtpTimers = {
  connect: 5_000,
  greeting: 5_000,
  command: 5_000,
  tls: 5_000,
  mail: 5_000,
  rcpt: 5_000,
  data: 5_000,
  block: 5_000,
  final: 5_000,
  quit: 500,
}

/** A message to bob@example.net, or to whom it says. */
export function consignment(
  options: Partial<Omit<Consignment, 'body' | 'recipients'>> & {
    readonly recipients?: readonly (Recipient | string)[]
    readonly body?: string | Buffer
    /** Size of the pieces that the body comes in. */
    readonly pieces?: number
  } = {},
): Consignment {
  const { recipients = ['bob@example.net'], body = MESSAGE, pieces = 65_536, ...rest } = options
  const octets = Buffer.from(body)
  return {
    id: '0A1B2C3D4E5F6G7H',
    domain: 'example.net',
    reversePath: 'alice@example.org',
    eightBit: false,
    smtputf8: false,
    size: octets.length,
    ...rest,
    recipients: recipients.map(to => (typeof to === 'string' ? { address: to } : to)),
    async *body() {
      for (let at = 0; at < octets.length; at += pieces) yield octets.subarray(at, at + pieces)
    },
  }
}

/** The DNS from a table: MX host to `address:port` list, one preference each in the order given. */
export function resolverOf(
  mx: MxAnswer | readonly (readonly [host: string, ...endpoints: (number | string)[]])[],
  addresses: Readonly<Record<string, AddressAnswer>> = {},
): Resolver {
  const table: Record<string, AddressAnswer> = { ...addresses }
  const answer: MxAnswer =
    'kind' in mx
      ? mx
      : { kind: 'mx', hosts: mx.map(([host], index) => ({ host, preference: 10 * (index + 1) })) }
  for (const [host, ...endpoints] of 'kind' in mx ? [] : mx) {
    table[host] = { kind: 'addresses', endpoints: endpoints.map(endpointOf) }
  }
  return {
    mx: () => Promise.resolve(answer),
    addresses: host => Promise.resolve(table[host] ?? { kind: 'none' }),
  }
}

function endpointOf(text: number | string): { address: string; port: number } {
  if (typeof text === 'number') return { address: '127.0.0.1', port: text }
  const colon = text.lastIndexOf(':')
  return { address: text.slice(0, colon), port: Number(text.slice(colon + 1)) }
}
