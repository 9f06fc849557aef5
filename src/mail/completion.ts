import { formatDate } from './date.ts'
import type { HeaderField } from './headers.ts'
import { printable } from './reply.ts'

/** What completing a header section came to. */
export interface CompletedHeader {
  /** The section to send, CRLF line ends, without the empty line behind it. */
  readonly header: Buffer
  /** Message-ID with its angle brackets: the client's, or ours; '' where the client's is malformed. */
  readonly messageId: string
}

/** Fields that must not leave: Bcc (RFC 6409 section 8; RFC 5321 section 7.2) and Return-Path (section 4.4). */
const REMOVED: ReadonlySet<string> = new Set(['bcc', 'resent-bcc', 'return-path'])

/**
 * Completes a submitted header section (RFC 6409 section 8): what lacks is put on top, what must not travel is left
 * out. The octets of every other field stay as they are, in their order.
 *
 * @param options.received the line of `redactedReceived`, put first (RFC 5321 section 4.4)
 * @param options.messageId what Message-ID to give if there is none, without angle brackets: `id@relay.example.org`
 * @param options.sender the address for Sender, if one is to be added; one that is there stays (section 8.1)
 * @param options.at milliseconds since the epoch, for a missing Date
 */
export function completeHeader(
  fields: readonly HeaderField[],
  options: {
    readonly received: string
    readonly messageId: string
    readonly at: number
    readonly sender?: string
  },
): CompletedHeader {
  const top = [options.received]
  const kept = fields.filter(
    field =>
      !REMOVED.has(field.name) &&
      // An empty one is none, and two are a reason to be refused.
      !((field.name === 'message-id' || field.name === 'date') && field.value === ''),
  )
  const value = (name: string): string | undefined => kept.find(f => f.name === name)?.value
  const own = value('message-id')
  if (value('date') === undefined) top.push(`Date: ${formatDate(options.at)}\r\n`)
  if (own === undefined) top.push(`Message-ID: <${options.messageId}>\r\n`)
  if (options.sender !== undefined && value('sender') === undefined) {
    top.push(`Sender: <${printable(options.sender)}>\r\n`)
  }
  const rest = Buffer.concat(kept.map(field => field.raw))
  // The last line of a message without a body may lack its end.
  const end = rest.length > 0 && rest.at(-1) !== 10 ? '\r\n' : ''
  return {
    header: Buffer.concat([Buffer.from(top.join('')), rest, Buffer.from(end)]),
    messageId: own === undefined ? `<${options.messageId}>` : messageIdOf(own),
  }
}

/** The msg-id in a text, with its one pair of angle brackets, or '' (RFC 5322 section 3.6.4). */
export function messageIdOf(value: string): string {
  return /<[!-;=?-~]{1,900}>/.exec(value)?.[0] ?? ''
}

/**
 * The one Received field a submitted message gets (RFC 5321 section 4.4). It tells neither where the client was nor
 * who logged in: `from` is required by the grammar, so it names the loopback and says what is missing.
 *
 * @param options.protocol of RFC 3848 or RFC 6531: `ESMTPSA`, `UTF8SMTPSA`
 * @param options.tls version of TLS, `TLSv1.3`, or ''
 * @param options.at milliseconds since the epoch
 */
export function redactedReceived(options: {
  readonly hostname: string
  readonly id: string
  readonly protocol: string
  readonly tls: string
  readonly at: number
}): string {
  const tls = options.tls === '' ? '' : ` (using ${options.tls})`
  return [
    `Received: from localhost (client withheld)${tls}`,
    `\tby ${options.hostname} with ${options.protocol} id ${options.id};`,
    `\t${formatDate(options.at)}`,
    '',
  ].join('\r\n')
}
