type Extent = 'yes' | 'partly' | 'no'

/** A standard, how far it is implemented, and where. The files mention its number. */
export interface Standard {
  readonly rfc: number
  readonly title: string
  readonly extent: Extent
  readonly files: readonly string[]
  readonly remark?: string
}

export const STANDARDS: readonly Standard[] = [
  {
    rfc: 1870,
    title: 'SIZE',
    extent: 'yes',
    files: ['src/relay/submission/parameters.ts', 'src/relay/transport/capabilities.ts'],
  },
  {
    rfc: 2034,
    title: 'Enhanced error codes',
    extent: 'yes',
    files: ['src/mail/reply.ts', 'src/relay/submission/dialogue.ts'],
  },
  {
    rfc: 2920,
    title: 'Pipelining',
    extent: 'yes',
    files: ['src/relay/submission/mail-commands.ts', 'src/relay/transport/transaction.ts'],
    remark: 'a body sent before 354 is refused',
  },
  {
    rfc: 3207,
    title: 'STARTTLS',
    extent: 'yes',
    files: ['src/relay/submission/dialogue.ts', 'src/relay/transport/smtp-client.ts'],
  },
  {
    rfc: 3461,
    title: 'Delivery status notifications: SMTP extension',
    extent: 'yes',
    files: [
      'src/relay/submission/parameters.ts',
      'src/relay/queue/reports.ts',
      'src/relay/transport/envelope-commands.ts',
    ],
  },
  { rfc: 3463, title: 'Enhanced status codes', extent: 'yes', files: ['src/mail/reply.ts'] },
  {
    rfc: 3464,
    title: 'Format of delivery status notifications',
    extent: 'yes',
    files: ['src/mail/dsn.ts', 'src/mail/report-reader.ts'],
  },
  { rfc: 3848, title: 'ESMTPSA in Received', extent: 'yes', files: ['src/mail/completion.ts'] },
  {
    rfc: 4616,
    title: 'SASL PLAIN',
    extent: 'partly',
    files: ['src/relay/submission/sasl.ts'],
    remark: 'acting as somebody else is refused',
  },
  {
    rfc: 4954,
    title: 'AUTH',
    extent: 'yes',
    files: ['src/relay/submission/dialogue.ts', 'src/relay/transport/sasl.ts'],
    remark: 'PLAIN and LOGIN; AUTH= on MAIL is read and never trusted',
  },
  {
    rfc: 5321,
    title: 'SMTP',
    extent: 'yes',
    files: ['src/relay/submission/mail-commands.ts', 'src/relay/transport/direct-mx.ts'],
    remark: 'as a submission server and as a client; no address literals as recipients',
  },
  {
    rfc: 5322,
    title: 'Message format',
    extent: 'partly',
    files: ['src/mail/headers.ts', 'src/mail/mailbox-list.ts'],
    remark: 'what a relay must read and complete; the rest passes untouched',
  },
  {
    rfc: 6152,
    title: '8BITMIME',
    extent: 'yes',
    files: ['src/relay/submission/data-decoder.ts', 'src/relay/transport/envelope-commands.ts'],
    remark: 'bounced, not converted, where the next hop has not got it',
  },
  {
    rfc: 6409,
    title: 'Message submission',
    extent: 'yes',
    files: ['src/relay/submission/policy.ts', 'src/mail/completion.ts'],
  },
  {
    rfc: 6531,
    title: 'SMTPUTF8',
    extent: 'yes',
    files: ['src/mail/address.ts', 'src/relay/transport/envelope-commands.ts'],
  },
  {
    rfc: 6533,
    title: 'Internationalised delivery status notifications',
    extent: 'yes',
    files: ['src/mail/dsn.ts', 'src/mail/xtext.ts'],
  },
  {
    rfc: 7435,
    title: 'Opportunistic security',
    extent: 'yes',
    files: ['src/relay/transport/session-opener.ts'],
  },
  { rfc: 7504, title: '521 and 556', extent: 'yes', files: ['src/relay/transport/host-result.ts'] },
  { rfc: 7505, title: 'Null MX', extent: 'yes', files: ['src/relay/transport/mx.ts'] },
  {
    rfc: 8314,
    title: 'TLS for submission and access',
    extent: 'yes',
    files: ['src/relay/submission/listener.ts'],
    remark: 'implicit TLS beside STARTTLS, no login in clear text',
  },
  {
    rfc: 8461,
    title: 'MTA-STS',
    extent: 'yes',
    files: [
      'src/relay/transport/mta-sts.ts',
      'src/relay/transport/sts-fetch.ts',
      'src/relay/transport/sts-policies.ts',
    ],
    remark: 'as a sender; policies bind over restarts',
  },
  {
    rfc: 8601,
    title: 'Authentication-Results',
    extent: 'partly',
    files: ['src/mail/authentication-results.ts'],
    remark: 'read in canaries that arrived; the relay writes none',
  },
  {
    rfc: 3501,
    title: 'IMAP4rev1',
    extent: 'partly',
    files: ['src/probe/imap-mailbox.ts'],
    remark: 'as a client, through imapflow, reading only',
  },
  { rfc: 2177, title: 'IMAP IDLE', extent: 'yes', files: ['src/probe/imap-connection.ts'] },
  {
    rfc: 4315,
    title: 'UIDPLUS',
    extent: 'partly',
    files: ['src/probe/imap-mailbox.ts'],
    remark: 'UID EXPUNGE',
  },
  { rfc: 6154, title: 'Special-use mailboxes', extent: 'yes', files: ['src/probe/folders.ts'] },
]

/** Extensions that are not offered, and the reason for each. */
export const NOT_OFFERED: readonly (readonly [name: string, rfc: string, reason: string])[] = [
  [
    'CHUNKING, BINARYMIME',
    '3030',
    'What is taken by BDAT has to go on by BDAT or be converted, and of the four servers in comparison.md one has CHUNKING. RFC 6409 makes both optional',
  ],
  [
    'REQUIRETLS',
    '8689',
    'Only one that returns a message rather than hand it to a next hop without the extension may offer it; of the four servers in comparison.md one has it. What a recipient’s domain asks for by MTA-STS is kept to',
  ],
  ['DELIVERBY', '2852', 'A promise about the next hops, none of which makes it'],
  [
    'FUTURERELEASE',
    '4865',
    'Mail programs keep drafts; a queue that holds mail for days hides what waits and why',
  ],
  [
    'MT-PRIORITY',
    '6710',
    'It would order our own queue and nothing else, and everybody would be urgent',
  ],
  [
    'BURL, CATENATE',
    '4468, 4469',
    'They need the people’s IMAP server to trust the relay with their mailboxes',
  ],
  ['ETRN, ATRN', '1985, 2645', 'RFC 6409 section 7 forbids them to a submission server'],
  ['EXPN, and VRFY that confirms', '5321', 'They tell strangers who exists (section 7.3)'],
  [
    'AUTH by CRAM-MD5, DIGEST-MD5, SCRAM',
    '2195, 2831, 5802',
    'They need the password itself or a key made from it for them, and the directory keeps neither. All logins are within TLS',
  ],
  [
    'DANE',
    '7672',
    'It needs a resolver that validates DNSSEC and says so, which cannot be assumed on the host; MTA-STS is done instead',
  ],
  [
    'TLS reports',
    '8460',
    'They are made for a domain as a whole, of which the relay is one sender',
  ],
  [
    'DKIM signing',
    '6376',
    'Mail leaves as it was submitted, with what RFC 6409 section 8 lets a relay add; a smarthost may sign',
  ],
]
