import { HOUR } from '../../base/clock.ts'
import type { Provider } from '../provider.ts'

/**
 * Yahoo, AOL, and the domains they host (Verizon, Sky, AT&T). Sources: Yahoo's "SMTP error codes" of 2026-02, which
 * names the tags TS* and PH* only as families; single tags from Sisimai and logs.
 */
export const YAHOO: Provider = {
  name: 'yahoo',
  mxSuffixes: ['.yahoodns.net'],
  // IDLE does not work (four projects, 2015 to 2020). It bears few connections; nobody knows how many.
  imap: { host: 'imap.mail.yahoo.com', port: 993, auth: 'password', idle: false, ipv4Only: false },
  junkNames: ['Bulk', 'Bulk Mail'],
  authHosts: ['.yahoo.com'],
  verified: 'documentation',
  shaping: { connections: 5, messagesPerConnection: 20, messagesPerMinute: Infinity },
  advice: [
    'The password is an app password. There are no new OAuth 2 clients for mail.',
    'It has no IDLE: news are found by polling.',
  ],
  replyRules: [
    {
      // 4xx, and yet for good: the class tells a person what to do, the queue goes on trying.
      sample:
        '421 4.7.1 [TS03] All messages from 192.0.2.10 will be permanently deferred; Retrying will NOT succeed. See https://postmaster.yahooinc.com/error-codes',
      text: /\[TSS?03\]/,
      class: 'policy',
      pause: HOUR,
    },
    {
      sample:
        '421 4.7.0 [TSS04] Messages from 192.0.2.10 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes',
      text: /\[TSS?0[45]\]|temporarily deferred due to (?:unexpected volume|user complaints)/i,
      class: 'reputation',
      pause: 2 * HOUR,
    },
    {
      sample:
        '553 5.7.2 [TSS09] All messages from 192.0.2.10 will be permanently deferred; Retrying will NOT succeed. See https://postmaster.yahooinc.com/error-codes',
      codes: [553],
      text: /\[TSS?(?:09|11)\]|Retrying will NOT succeed/,
      class: 'policy',
    },
    {
      sample:
        '553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.10, because the ip is in Spamhaus\u2019s list; see https://postmaster.yahooinc.com/error-codes',
      text: /\[BL2[1-3]\]/,
      class: 'blocklist',
    },
    {
      sample:
        '554 5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes',
      enhanced: ['5.7.9'],
      class: 'authentication',
    },
    {
      sample:
        '451 Message temporarily deferred due to unresolvable RFC.5321 from domain; see https://postmaster.yahooinc.com/error-codes',
      codes: [451, 550, 554],
      text: /(?:not resolvable|unresolvable).*(?:from|domain)|from domain.*(?:not resolvable|unresolvable)/i,
      class: 'authentication',
    },
    {
      sample:
        '554 Message not allowed - [PH01] Email not accepted for policy reasons. Please visit https://postmaster.yahooinc.com/error-codes',
      text: /\[PH\d\d\]/,
      class: 'content',
    },
    {
      sample: '451 Resources temporarily unavailable. Please try again later [#4.16.5].',
      codes: [451],
      text: /resources temporarily (?:unavailable|not available)/i,
      class: 'reputation',
    },
    {
      sample: '421 Max message per connection reached, closing transmission channel',
      codes: [421],
      text: /Max messages? per connection/i,
      class: 'transient',
    },
    {
      sample: '450 User is receiving mail too quickly',
      codes: [450],
      text: /receiving mail too quickly/i,
      class: 'transient',
    },
    {
      sample:
        '554 delivery error: dd This user doesn\u2019t have a yahoo.com account (bob@example.net) [0] - mta4008.mail.ne1.yahoo.com',
      codes: [554],
      text: /delivery error: dd|mailbox is disabled/i,
      class: 'mailbox',
    },
  ],
}
