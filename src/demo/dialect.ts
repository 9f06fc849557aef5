/** Where in the dialogue a provider says no (RFC 5321 section 3.3). */
export type Stage = 'mail' | 'recipient' | 'data'

export interface SmtpAnswer {
  readonly code: number
  /** With its enhanced code, if that provider writes one. */
  readonly text: string
}

interface StagedAnswer extends SmtpAnswer {
  readonly stage: Stage
}

/**
 * What one provider's MX says, as its own pages and logs have it. `%i` stands for the sender's address, `%h` for the
 * MX host, `%r` for the recipient, `%q` for the provider's name of the message.
 */
export interface Dialect {
  readonly banner: string
  readonly accepted: string
  readonly deferred: StagedAnswer
  readonly refused: StagedAnswer
  readonly unknownRecipient: SmtpAnswer
  /** Host that signs Authentication-Results; '' where the header has none. */
  readonly authHost: string
}

export const GMAIL_DIALECT: Dialect = {
  banner: '%q - gsmtp',
  accepted: '2.0.0 OK %q - gsmtp',
  deferred: {
    stage: 'data',
    code: 421,
    text:
      '4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP address. To protect ' +
      'our users from spam, mail sent from your IP address has been temporarily rate limited. For more information, ' +
      'go to https://support.google.com/mail/?p=UnsolicitedRateLimitError %q - gsmtp',
  },
  refused: {
    stage: 'data',
    code: 550,
    text:
      '5.7.1 [%i] Gmail has detected that this message is likely unsolicited mail. To reduce the amount of spam sent ' +
      'to Gmail, this message has been blocked. For more information, go to ' +
      'https://support.google.com/mail/?p=UnsolicitedMessageError %q - gsmtp',
  },
  unknownRecipient: {
    code: 550,
    text:
      "5.1.1 The email account that you tried to reach does not exist. Please try double-checking the recipient's " +
      'email address for typos or unnecessary spaces. For more information, go to ' +
      'https://support.google.com/mail/?p=NoSuchUser %q - gsmtp',
  },
  authHost: 'mx.gmail.example',
}

export const HOTMAIL_DIALECT: Dialect = {
  banner: 'Microsoft ESMTP MAIL Service ready',
  accepted: '2.6.0 <%q@%h> Queued mail for delivery',
  deferred: {
    stage: 'mail',
    code: 421,
    text:
      "RP-001 (%h) Unfortunately, some messages from %i weren't sent. Please try again. We have limits for how many " +
      'messages can be sent per hour and per day. You can also refer to ' +
      'http://mail.live.com/mail/troubleshooting.aspx#errors.',
  },
  refused: {
    stage: 'mail',
    code: 550,
    text:
      "5.7.1 Unfortunately, messages from [%i] weren't sent. Please contact your Internet service provider since " +
      'part of their network is on our block list (S3140). You can also refer your provider to ' +
      'http://mail.live.com/mail/troubleshooting.aspx#errors. [%h]',
  },
  unknownRecipient: {
    code: 550,
    text: '5.1.1 Requested action not taken: mailbox unavailable. [%h]',
  },
  authHost: '',
}

export const YAHOO_DIALECT: Dialect = {
  banner: 'ready',
  accepted: 'ok dirdel',
  deferred: {
    stage: 'mail',
    code: 421,
    text:
      '4.7.0 [TSS04] Messages from %i temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; ' +
      'see https://postmaster.yahooinc.com/error-codes',
  },
  refused: {
    stage: 'mail',
    code: 553,
    text:
      '5.7.2 [TSS09] All messages from %i will be permanently deferred; Retrying will NOT succeed. ' +
      'See https://postmaster.yahooinc.com/error-codes',
  },
  unknownRecipient: {
    code: 554,
    text: "5.1.1 delivery error: dd This user doesn't have a yahoo.com account (%r) [0] - %h",
  },
  authHost: 'atlas206.free.mail.ne1.yahoo.example',
}

export const PLAIN_DIALECT: Dialect = {
  banner: 'ready',
  accepted: '2.0.0 Ok: queued as %q',
  deferred: { stage: 'recipient', code: 421, text: '4.3.2 Service currently unavailable' },
  refused: {
    stage: 'recipient',
    code: 550,
    text: '5.7.1 <%r>: Recipient address rejected: Access denied',
  },
  unknownRecipient: {
    code: 550,
    text: '5.1.1 <%r>: Recipient address rejected: User unknown in virtual mailbox table',
  },
  authHost: 'mx1.example.net',
}

/** Fills in the blanks of a dialect's text. */
export function spell(
  text: string,
  blanks: { readonly i: string; readonly h: string; readonly r: string; readonly q: string },
): string {
  return text.replaceAll(/%([ihrq])/g, (_, blank: string) => blanks[blank as keyof typeof blanks])
}
