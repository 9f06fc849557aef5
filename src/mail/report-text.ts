import { isAscii } from './address.ts'
import { formatDate } from './date.ts'
import type { FailureClass } from './outcome.ts'
import { formatReply, printable } from './reply.ts'
import type { Report, ReportedRecipient } from './report.ts'

const ADVICE: Readonly<Record<FailureClass, string>> = {
  none: 'Please ask the people who run your mail.',
  transient: 'The other side could not take it at the time. You can send it again later.',
  rate: 'The other side takes only so much mail from us at a time. You can send it again later.',
  reputation:
    'The other side does not trust our mail server at the moment. That is not about you: please tell the people who run your mail.',
  authentication:
    'The other side could not verify that the message came from us. Please tell the people who run your mail.',
  tls: 'There was no connection that is safe enough for it. Please tell the people who run your mail.',
  content:
    'The other side objects to the message itself. It may be too large, or look like spam to a machine: shorten it, leave out attachments and links, and send it again.',
  policy:
    'The other side refuses it by rules of its own. Please tell the people who run your mail.',
  blocklist:
    'Our mail server is on a block list that the other side uses. Please tell the people who run your mail.',
  mailbox:
    'The mailbox does not exist or takes no mail. Check the address letter by letter, or reach the recipient in another way.',
  network:
    'The mail server of the recipient could not be reached. Check what stands behind the @, or send it again later.',
  other: 'If the reply below does not help, please ask the people who run your mail.',
}

const LEADS: Readonly<Record<Report['kind'], string>> = {
  failed: 'could not be delivered to:',
  delayed: 'has not been delivered yet to:',
  relayed: 'was passed on to a mail server that does not confirm deliveries, for:',
}

/** Code points of a reply that are kept. RFC 5321 section 4.5.3.1.5 allows 512 octets a line, and many lines. */
const MAX_REPLY = 2_000

/** The first part of a report: what happened, to whom, what the sender can do; the words of the other side last. */
export function explain(report: Report): string {
  const blocks = [
    wrap(`Your message of ${formatDate(report.arrivedAt)} ${LEADS[report.kind]}`, ''),
    ...report.recipients.map(recipient => recipientText(recipient, report)),
  ]
  if (report.kind === 'delayed') blocks.push(wrap(patience(report), ''))
  if (report.kind === 'relayed') {
    blocks.push(wrap('You need not do anything. Whether it arrived is not known here.', ''))
  }
  blocks.push(
    wrap(
      `This was written by the mail server ${report.hostname}, which knows your message as ${report.originalId}.`,
      '',
    ),
  )
  const quotes = report.recipients.map(recipient => quote(recipient, report))
  if (report.kind !== 'relayed') blocks.push('What was said last, word for word:', ...quotes)
  return `${blocks.join('\r\n\r\n')}\r\n`
}

/**
 * Text from outside, fit for one line: controls gone, and without SMTPUTF8 only ASCII, the rest written as in RFC
 * 6533 section 3 (`\x{FC}` for ü).
 */
export function oneLine(text: string, smtputf8: boolean): string {
  // By way of octets, since half of a surrogate pair has no UTF-8.
  const line = printable(Buffer.from(text).toString())
  if (smtputf8) return line
  return Array.from(line, c =>
    isAscii(c) ? c : `\\x{${(c.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`,
  ).join('')
}

/** What a sender can do about a failure, in a sentence or two. Plain words: the reader runs no mail server. */
export function adviceFor(reason: FailureClass): string {
  return ADVICE[reason]
}

/** A reply at a length that a person can read. */
export function shorten(text: string): string {
  const points = Array.from(text)
  return points.length <= MAX_REPLY ? text : `${points.slice(0, MAX_REPLY).join('')} [...]`
}

/** A word in pieces that fit a line of 998 octets (RFC 5322 section 2.1.1), four to a character at most. */
export function breakWord(word: string): readonly string[] {
  return word.match(/.{1,240}/gsu) ?? []
}

function recipientText(recipient: ReportedRecipient, report: Report): string {
  const address = `  ${oneLine(recipient.address, report.smtputf8)}`
  if (report.kind !== 'failed') return address
  const expired = 'We have tried again and again, and have now given up.'
  const advice = wrap(adviceFor(recipient.class), '    ')
  return [address, ...(recipient.expired === true ? [`    ${expired}`] : []), advice].join('\r\n')
}

function patience(report: Report): string {
  const until = report.retryUntil === undefined ? '' : ` until ${formatDate(report.retryUntil)}`
  return `You need not do anything. We go on trying${until}, and write to you again if we have to give up.`
}

function quote(recipient: ReportedRecipient, report: Report): string {
  const said = oneLine(shorten(formatReply(recipient.reply)), report.smtputf8)
  const who = recipient.host === '' ? 'this mail server' : oneLine(recipient.host, false)
  const whom = oneLine(recipient.address, report.smtputf8)
  return `  ${whom}, ${who}:\r\n${wrap(said === '' ? 'nothing' : said, '    ')}`
}

function wrap(text: string, indent: string): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/ +/).flatMap(breakWord)) {
    if (line !== '' && line.length + 1 + word.length > 76 - indent.length) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].map(each => indent + each).join('\r\n')
}
