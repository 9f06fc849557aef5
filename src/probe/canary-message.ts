import MailComposer from 'nodemailer/lib/mail-composer'

import type { Random } from '../base/clock.ts'
import { formatDate } from '../mail/date.ts'
import { domainOf } from '../mail/envelope.ts'
import { canaryBody } from './canary-body.ts'
import { type Content, wordingOf } from './content.ts'
import { TOKEN_FIELD } from './token.ts'

export interface CanaryMessageOptions {
  /** Address in From; its domain is that of the Message-ID. */
  readonly from: string
  /** Name in From; '' for none. */
  readonly fromName: string
  /** The seed's address. */
  readonly to: string
  readonly token: string
  readonly content: Content
  /** When it is sent, milliseconds since the epoch. */
  readonly at: number
  readonly random: Random
}

/**
 * A canary as the origin receives it: what RFC 5322 section 3.6 demands, words a person can read, and the token in
 * three places, since each of them is replaced by somebody: the Message-ID by Exchange and SES, fields that nobody knows
 * by list servers, the Subject by those who mark spam.
 *
 * @returns the message with CRLF line ends
 */
export async function canaryMessage(options: CanaryMessageOptions): Promise<Buffer> {
  const { from, to, token, content, at, random } = options
  const body = canaryBody(content, wordingOf(content, random), { to, at, random })
  const automatic = {
    'Auto-Submitted': 'auto-generated',
    // Exchange knows RFC 3834 only by this name.
    'X-Auto-Response-Suppress': 'All',
  }
  const composer = new MailComposer({
    from: { name: options.fromName, address: from },
    to,
    subject: `${body.subject} (ref. ${token})`,
    // RFC 5322 section 3.6.4: unique for ever. Gmail slows down a Message-ID that repeats.
    messageId: `<${token}@${domainOf(from)}>`,
    // Yahoo refuses a Date that is not of RFC 5322's form.
    date: formatDate(at),
    text: body.text,
    ...(body.html !== undefined && { html: body.html }),
    ...(body.references && {
      inReplyTo: body.references.at(-1) ?? '',
      references: [...body.references],
    }),
    ...(body.attachment && {
      attachments: [
        {
          filename: body.attachment.name,
          content: body.attachment.octets,
          contentType: body.attachment.type,
        },
      ],
    }),
    headers: { [TOKEN_FIELD]: token, ...(content.automatic ? automatic : {}) },
    newline: 'win',
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return composer.compile().build()
}
