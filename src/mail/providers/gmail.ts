import { DAY } from '../../base/clock.ts'
import { codes, type Provider } from '../provider.ts'

/**
 * Gmail and Google Workspace, which share their hosts. Sources: Google's "Gmail SMTP errors and codes" of 2026-02,
 * sender guidelines of 2025-11.
 */
export const GMAIL: Provider = {
  name: 'gmail',
  mxSuffixes: ['.google.com', '.googlemail.com'],
  imap: {
    host: 'imap.gmail.com',
    port: 993,
    auth: 'password',
    idle: true,
    ipv4Only: false,
    // A page of 2008 says 10.
    connections: 15,
  },
  oauth: {
    // The device flow exists, and the scope for mail is not on its list.
    authorizeUrl: 'https://accounts.google.com/o/oauth2/v2/auth',
    tokenUrl: 'https://oauth2.googleapis.com/token',
    scope: 'https://mail.google.com/',
    idleLimit: 180 * DAY,
  },
  junkNames: ['[Gmail]/Spam', '[Google Mail]/Spam'],
  authHosts: ['mx.google.com'],
  verified: 'documentation',
  shaping: { connections: 5, messagesPerConnection: 50, messagesPerMinute: Infinity },
  advice: [
    'The password is an app password; it needs 2-Step Verification, and a new account password revokes it.',
    'With OAuth 2: while the consent screen is in testing, every sign-in ends after 7 days.',
    'Tabs are not folders: what a tab shows is in the inbox.',
  ],
  replyRules: [
    // 4.7.0 has many meanings: the text alone tells them apart.
    {
      sample:
        '421 4.7.0 [192.0.2.10 15] Our system has detected that this message is suspicious due to the very low reputation of the sending IP address. gsmtp',
      codes: [421],
      text: /very low reputation|suspicious/i,
      class: 'reputation',
    },
    {
      sample:
        '421 4.7.0 [192.0.2.10] Our system has detected that the links or content of this message are similar to spam. gsmtp',
      codes: [421],
      enhanced: ['4.7.0'],
      text: /links|content/i,
      class: 'reputation',
    },
    {
      sample:
        '421 4.7.0 The IP address sending this message does not have a PTR record, or the corresponding forward DNS entry does not point to the sending IP. gsmtp',
      codes: [421],
      enhanced: ['4.7.0'],
      text: /PTR record/i,
      class: 'authentication',
    },
    {
      sample: '421 4.7.0 TLS required for RCPT domain, closing connection. gsmtp',
      codes: [421],
      enhanced: ['4.7.0'],
      text: /TLS required/i,
      class: 'tls',
    },
    {
      sample: '421 4.7.0 Try again later, closing connection. gsmtp',
      codes: [421],
      enhanced: ['4.7.0'],
      text: /try again later|connection expired/i,
      class: 'transient',
    },
    {
      sample:
        '421 4.7.28 Gmail has detected an unusual rate of unsolicited email originating from your IP address. To protect our users from spam, email sent from your IP address has been temporarily rate limited. gsmtp',
      enhanced: ['4.7.28'],
      class: 'rate',
    },
    {
      sample:
        '550 5.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP address. To protect our users from spam, mail sent from your IP address has been blocked. gsmtp',
      enhanced: ['5.7.28'],
      class: 'policy',
    },
    {
      sample:
        '550 5.7.29 This message was sent over a connection that is not secured by TLS. gsmtp',
      enhanced: ['4.7.29', '5.7.29'],
      class: 'tls',
    },
    {
      // 421 with 5.7.32 was seen: the basic code decides that it is for now, this list only why.
      sample:
        '550 5.7.26 Your email has been blocked because the sender is unauthenticated. Gmail requires all senders to authenticate with either SPF or DKIM. gsmtp',
      enhanced: codes(
        '4.7.23 4.7.24 4.7.25 4.7.26 4.7.27 4.7.30 4.7.32 4.7.40',
        '5.7.23 5.7.24 5.7.25 5.7.26 5.7.27 5.7.30 5.7.32 5.7.40',
      ),
      class: 'authentication',
    },
    {
      sample:
        '421 5.7.32 Your email has been rate limited because the From: header (RFC5322) in this message is not aligned with either the authenticated SPF or DKIM organizational domain. gsmtp',
      codes: [421],
      text: /not aligned with|unauthenticated|DMARC/i,
      class: 'authentication',
    },
    {
      sample:
        '550 5.7.1 Messages missing a valid Message-ID header are not accepted. For more information, go to RFC 5322 specifications. gsmtp',
      enhanced: ['5.7.1'],
      text: /Message-ID|From:? header|duplicate|multiple .*headers?|not RFC 5322 compliant/i,
      class: 'content',
    },
    {
      sample:
        '550 5.7.1 [192.0.2.10 12] Our system has detected that this message is likely unsolicited mail. To reduce the amount of spam sent to Gmail, this message has been blocked. gsmtp',
      enhanced: ['5.7.1'],
      text: /likely unsolicited|likely suspicious|reputation/i,
      class: 'policy',
    },
    {
      sample:
        '552 5.7.0 This message was blocked because its content presents a potential security issue. gsmtp',
      codes: [552],
      enhanced: ['5.7.0'],
      class: 'content',
    },
    {
      sample: '554 5.6.0 Mail message is malformed. Not accepted. gsmtp',
      enhanced: ['5.6.0'],
      class: 'content',
    },
    {
      sample: '452 4.2.2 The recipient\u2019s inbox is out of storage space. gsmtp',
      enhanced: ['4.2.1', '4.2.2', '5.1.1', '5.2.1', '5.2.2'],
      class: 'mailbox',
    },
    {
      sample: '451 4.4.2 Timeout - closing connection. gsmtp',
      enhanced: ['4.3.0', '4.4.2', '4.4.5', '4.5.3'],
      class: 'transient',
    },
  ],
}
