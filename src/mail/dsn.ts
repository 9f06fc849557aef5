import { formatAddress, isAscii, parseAddress } from './address.ts'
import { messageIdOf } from './completion.ts'
import { formatDate } from './date.ts'
import { parseHeader } from './headers.ts'
import { formatReply, statusOf } from './reply.ts'
import { breakWord, explain, oneLine, shorten } from './report-text.ts'
import type { Report, ReportedRecipient } from './report.ts'
import { decodeXtext, parseOrcpt } from './xtext.ts'

/*
 * Delivery status notifications (RFC 3461 section 6, RFC 3464; RFC 6533 for messages that need SMTPUTF8). Who is
 * owed one is not decided here. What comes from outside (replies, addresses, the original header) is made safe
 * before it stands in a line of ours.
 */

/** What is returned of a header section, in octets: enough to know the message by. */
const MAX_RETURNED_HEADER = 64 * 1024

/** Writes a report: a whole message, CRLF line ends. It is sent with the null reverse path (RFC 3461 section 6.1). */
export function buildReport(report: Report): Buffer {
  const text = explain(report)
  const status = statusPart(report)
  const original = originalPart(report)
  const boundary = freeBoundary(report.id, [text, status, original.content])
  const originalMessageId = idOfOriginal(report.originalHeader)
  const header = [
    `Date: ${formatDate(report.at)}`,
    `From: Mail Delivery System <MAILER-DAEMON@${report.hostname}>`,
    `To: <${addressOf(report.to, report.smtputf8)}>`,
    `Subject: ${SUBJECTS[report.kind]}`,
    `Message-ID: <${report.id}@${report.hostname}>`,
    ...(originalMessageId === ''
      ? []
      : [`In-Reply-To: ${originalMessageId}`, `References: ${originalMessageId}`]),
    // RFC 3834 section 5: what keeps two robots from answering each other.
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status;',
    `\tboundary="${boundary}"`,
    '',
    'This is a report about the delivery of a message, in MIME format.',
    '',
  ].join('\r\n')
  const global = report.smtputf8 ? 'global-' : ''
  return Buffer.concat([
    Buffer.from(header),
    part(boundary, 'text/plain; charset=utf-8', 'Notification', Buffer.from(text)),
    part(boundary, `message/${global}delivery-status`, 'Delivery report', Buffer.from(status)),
    part(boundary, original.type, 'Original message', original.content),
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ])
}

const SUBJECTS: Readonly<Record<Report['kind'], string>> = {
  failed: 'Your message could not be delivered',
  delayed: 'Your message is delayed',
  relayed: 'Your message was passed on',
}

/** RFC 3463 section 2: the class says what we did; what the remote said decides the rest. */
const STATUS_CLASS: Readonly<Record<Report['kind'], string>> = {
  failed: '5',
  delayed: '4',
  relayed: '2',
}

function part(boundary: string, type: string, description: string, content: Buffer): Buffer {
  const seven = content.every(octet => octet < 128)
  const head = [
    '',
    `--${boundary}`,
    `Content-Type: ${type}`,
    `Content-Description: ${description}`,
    `Content-Transfer-Encoding: ${seven ? '7bit' : '8bit'}`,
    '',
    '',
  ].join('\r\n')
  return Buffer.concat([Buffer.from(head), content])
}

/** The fields of RFC 3464 section 2.2 and 2.3. */
function statusPart(report: Report): string {
  const { smtputf8 } = report
  const envid = report.envid === undefined ? undefined : decodeXtext(report.envid)
  const message = [
    `Reporting-MTA: dns; ${report.hostname}`,
    // Absent unless the sender gave one (RFC 3464 section 2.2.1).
    ...(envid === undefined || envid === ''
      ? []
      : [`Original-Envelope-Id: ${oneLine(envid, smtputf8)}`]),
    `Arrival-Date: ${formatDate(report.arrivedAt)}`,
    `X-Queue-Id: ${report.originalId}`,
  ]
  const groups = report.recipients.map(recipient => recipientFields(recipient, report))
  return [message, ...groups].map(lines => `${lines.join('\r\n')}\r\n`).join('\r\n')
}

function recipientFields(recipient: ReportedRecipient, report: Report): string[] {
  const { smtputf8, kind } = report
  const orcpt = recipient.orcpt === undefined ? undefined : parseOrcpt(recipient.orcpt)
  const lines: string[] = []
  // RFC 3461 section 6.3: only if there was an ORCPT, never invented.
  if (orcpt !== undefined) {
    const type = orcpt.type === 'utf-8' && isAscii(orcpt.address) ? 'rfc822' : orcpt.type
    lines.push(`Original-Recipient: ${type}; ${oneLine(orcpt.address, smtputf8)}`)
  }
  lines.push(`Final-Recipient: ${typed(recipient.address, smtputf8)}`)
  lines.push(`Action: ${kind}`)
  lines.push(`Status: ${statusFor(recipient, kind)}`)
  // RFC 3464 section 2.3.5: only where another host spoke.
  if (recipient.host !== '') lines.push(`Remote-MTA: dns; ${oneLine(recipient.host, false)}`)
  const said = shorten(formatReply(recipient.reply))
  if (said !== '') {
    // RFC 3464 section 2.3.6: `smtp` is for replies that an SMTP server sent.
    const type = recipient.reply.code !== 0 && recipient.host !== '' ? 'smtp' : 'x-mailcanary'
    lines.push(fold(`Diagnostic-Code: ${type}; ${oneLine(said, smtputf8)}`))
  }
  if (recipient.lastAttemptAt !== undefined) {
    lines.push(`Last-Attempt-Date: ${formatDate(recipient.lastAttemptAt)}`)
  }
  if (kind === 'delayed' && report.retryUntil !== undefined) {
    lines.push(`Will-Retry-Until: ${formatDate(report.retryUntil)}`)
  }
  return lines
}

function statusFor(recipient: ReportedRecipient, kind: Report['kind']): string {
  if (recipient.expired === true && kind === 'failed') return '5.4.7'
  return STATUS_CLASS[kind] + statusOf(recipient.reply).slice(1)
}

/** RFC 3464 section 2.3.2; outside ASCII, RFC 6533 section 3. */
function typed(address: string, smtputf8: boolean): string {
  const parsed = parseAddress(address)
  const plain = isAscii(parsed === undefined ? address : formatAddress(parsed))
  return `${plain ? 'rfc822' : 'utf-8'}; ${addressOf(address, smtputf8)}`
}

/** An address fit for a header: canonical if it is one; anything else is shown, not believed. */
function addressOf(text: string, smtputf8: boolean): string {
  const address = parseAddress(text)
  if (address === undefined) return oneLine(text, smtputf8).replaceAll(/[<>]/g, '?')
  return oneLine(formatAddress(address), smtputf8)
}

/** What the report returns of the original (RFC 3461 section 6.2; RFC 6533 section 6.3). */
function originalPart(report: Report): { readonly type: string; readonly content: Buffer } {
  if (report.kind === 'failed' && report.original !== undefined) {
    const type = report.smtputf8 ? 'message/global' : 'message/rfc822'
    return { type, content: withCrlf(Buffer.from(report.original)) }
  }
  const type = report.smtputf8 ? 'message/global-headers' : 'text/rfc822-headers'
  let header = withCrlf(Buffer.from(report.originalHeader))
  if (header.length > MAX_RETURNED_HEADER) {
    header = header.subarray(0, header.lastIndexOf('\r\n', MAX_RETURNED_HEADER) + 2)
  }
  return { type, content: header }
}

/** Bare CR and LF become line ends: no next hop takes them. */
function withCrlf(octets: Buffer): Buffer {
  const text = octets.toString('latin1')
  return /\r(?!\n)|(?<!\r)\n/.test(text)
    ? Buffer.from(text.replaceAll(/\r\n|\r|\n/g, '\r\n'), 'latin1')
    : octets
}

function idOfOriginal(header: Uint8Array): string {
  return messageIdOf(parseHeader(header).find(field => field.name === 'message-id')?.value ?? '')
}

/** A boundary that no part holds. Made of the id, so that the same report is the same octets. */
function freeBoundary(id: string, contents: readonly (string | Buffer)[]): string {
  for (let n = 0; ; n++) {
    const boundary = `=_${id}.${n}`
    if (!contents.some(content => content.includes(boundary))) return boundary
  }
}

/** Folds a field at its blanks (RFC 5322 section 2.2.3); a word too long for any line is broken. */
function fold(field: string): string {
  const lines: string[] = []
  let line = ''
  for (const word of field.split(/ +/).flatMap(breakWord)) {
    if (line === '') line = word
    else if (line.length + 1 + word.length <= 78) line += ` ${word}`
    else {
      lines.push(line)
      line = word
    }
  }
  return [...lines, line].join('\r\n\t')
}
