import type { Provider } from '../provider.ts'

/** riseup.net: Postfix and Dovecot, so the generic reply rules are its own. The user name is the local part. */
export const RISEUP: Provider = {
  name: 'riseup',
  mxSuffixes: ['.riseup.net'],
  imap: {
    host: 'imap.riseup.net',
    port: 993,
    auth: 'password',
    username: 'local-part',
    idle: true,
    ipv4Only: false,
  },
  junkNames: ['Spam', 'Junk'],
  authHosts: ['.riseup.net'],
  verified: 'documentation',
  shaping: { connections: 5, messagesPerConnection: 20, messagesPerMinute: Infinity },
  advice: ['A password for one service can be made. Spam counts towards the quota.'],
  replyRules: [],
}
