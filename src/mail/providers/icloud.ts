import type { Provider } from '../provider.ts'

/** iCloud Mail (icloud.com, me.com, mac.com). Sources: Apple's postmaster page, logs. */
export const ICLOUD: Provider = {
  name: 'icloud',
  mxSuffixes: ['.icloud.com'],
  imap: { host: 'imap.mail.me.com', port: 993, auth: 'password', idle: true, ipv4Only: false },
  junkNames: ['Junk'],
  authHosts: ['.icloud.com'],
  verified: 'documentation',
  shaping: { connections: 10, messagesPerConnection: 5, messagesPerMinute: Infinity },
  advice: ['The password is an app-specific password.'],
  replyRules: [
    {
      sample:
        '554 5.7.1 Your message was rejected due to example.org\u2019s DMARC policy. See https://support.apple.com/en-us/HT204137 for info',
      text: /DMARC policy/i,
      class: 'authentication',
    },
    {
      sample:
        '550 5.7.0 Blocked - see https://support.proofpoint.com/dnsbl-lookup.cgi?ip=192.0.2.10',
      text: /dnsbl-lookup/i,
      class: 'blocklist',
    },
    {
      sample:
        '550 5.7.1 [CS01] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137',
      text: /\[(?:CS|HM)\d\d\]/,
      class: 'policy',
    },
    {
      sample: '552 5.2.2 <bob@example.net>: user is over quota',
      text: /over quota|no user record found/i,
      class: 'mailbox',
    },
  ],
}
