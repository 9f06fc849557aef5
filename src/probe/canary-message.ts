import MailComposer from 'nodemailer/lib/mail-composer'

import type { Random } from '../base/clock.ts'
import { formatDate } from '../mail/date.ts'
import { domainOf } from '../mail/envelope.ts'
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
  /**
   * Marks the message as automatic (RFC 3834 section 5), so that no vacation notice comes back. Off by default: a
   * canary is to be treated like the mail of people, and people do not write this.
   */
  readonly automatic: boolean
  readonly random: Random
}

/**
 * A canary as the origin receives it: what RFC 5322 section 3.6 demands, words a person can read, and the token in
 * two places.
 *
 * @returns the message with CRLF line ends
 */
export async function canaryMessage(options: CanaryMessageOptions): Promise<Buffer> {
  const wording = wordingOf(options.content, options.random)
  const automatic = {
    'Auto-Submitted': 'auto-generated',
    // Exchange knows RFC 3834 only by this name.
    'X-Auto-Response-Suppress': 'All',
  }
  const composer = new MailComposer({
    from: { name: options.fromName, address: options.from },
    to: options.to,
    subject: wording.subject,
    // RFC 5322 section 3.6.4: unique for ever. Gmail slows down a Message-ID that repeats.
    messageId: `<${options.token}@${domainOf(options.from)}>`,
    // Yahoo refuses a Date that is not of RFC 5322's form.
    date: formatDate(options.at),
    text: wording.text,
    headers: { [TOKEN_FIELD]: options.token, ...(options.automatic ? automatic : {}) },
    newline: 'win',
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return composer.compile().build()
}
