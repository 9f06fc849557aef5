import { codes, type ReplyRule } from '../provider.ts'

/**
 * What any server may say, asked when the provider's own rules know nothing. The enhanced code comes first where it
 * is precise; then words that every receiving software uses; then what is left of the code (RFC 3463 section 3, RFC
 * 7372, RFC 7505).
 */
export const GENERIC_RULES: readonly ReplyRule[] = [
  {
    sample: '550 5.7.25 Reverse DNS validation failed',
    enhanced: codes(
      '4.7.20 4.7.21 4.7.22 4.7.23 4.7.24 4.7.25 4.7.26 4.7.27',
      '5.7.20 5.7.21 5.7.22 5.7.23 5.7.24 5.7.25 5.7.26 5.7.27',
    ),
    class: 'authentication',
  },
  {
    sample: '550 5.7.30 REQUIRETLS support required',
    enhanced: ['4.7.10', '4.7.11', '5.7.10', '5.7.11', '5.7.30'],
    class: 'tls',
  },
  {
    sample: '421 4.7.28 Mail flood detected',
    enhanced: ['4.7.28', '5.7.28'],
    class: 'rate',
  },
  {
    sample:
      '550 5.1.1 <bob@example.net>: Recipient address rejected: User unknown in virtual mailbox table',
    enhanced: codes(
      '4.1.0 4.1.1 4.1.2 4.1.3 4.1.6 4.2.0 4.2.1 4.2.2 4.2.4',
      '5.1.0 5.1.1 5.1.2 5.1.3 5.1.4 5.1.6 5.1.10 5.2.0 5.2.1 5.2.2 5.2.4',
    ),
    // Postfix greylists with 4.2.0.
    text: /^(?!.*gr[ae]y-?list)/i,
    class: 'mailbox',
  },
  {
    sample:
      '450 4.2.0 <bob@example.net>: Recipient address rejected: Greylisted, see https://postgrey.example.net/',
    text: /gr[ae]y-?list/i,
    class: 'transient',
  },
  {
    sample:
      '554 5.7.1 Service unavailable; Client host [192.0.2.10] blocked using zen.spamhaus.org',
    text: /blocked using|spamhaus|spamcop|barracudacentral|sorbs|black-?list|block-?list|\bdns(?:bl|wl)\b|\brbl\b/i,
    class: 'blocklist',
  },
  {
    sample:
      '550 5.7.1 Unauthenticated email from example.org is not accepted due to its DMARC policy',
    text: /\bdmarc\b|\bspf\b|\bdkim\b|unauthenticated|reverse dns|\bptr\b|cannot find your (?:reverse )?hostname/i,
    class: 'authentication',
  },
  {
    sample: '530 5.7.0 Must issue a STARTTLS command first',
    text: /starttls|\btls\b.*(?:required|needed)|(?:require|must use).*\btls\b|encryption (?:needed|required)/i,
    class: 'tls',
  },
  {
    sample: '451 4.7.1 Too many messages from your address, rate limit exceeded',
    text: /rate limit|too many (?:messages|connections|mails?)|sending too (?:fast|many)|throttl|too quickly/i,
    class: 'rate',
  },
  {
    sample: '554 5.7.1 Your server has a poor reputation',
    text: /reputation/i,
    class: 'reputation',
  },
  {
    sample: '550 No such user here',
    text: /user unknown|unknown (?:user|recipient)|no such (?:user|recipient|mailbox|person)|mailbox (?:unavailable|not found|full|is full|disabled)|(?:user|account|mailbox|recipient) (?:does not exist|doesn.t exist|not found)|over quota|quota exceeded/i,
    class: 'mailbox',
  },
  {
    sample: '554 5.7.1 This message is spam',
    text: /\bspam\b|unsolicited|\bvirus\b|malware|message content|phish/i,
    class: 'content',
  },
  {
    sample: '552 5.3.4 Message size exceeds fixed limit',
    enhanced: codes('5.2.3 5.3.4 5.6.0 5.6.1 5.6.2 5.6.3 5.6.5 5.6.6 5.6.7 5.6.8 5.6.9', '4.6.0'),
    class: 'content',
  },
  {
    sample: '421 4.4.2 Connection timed out',
    enhanced: [
      '4.4.0',
      '4.4.1',
      '4.4.2',
      '4.4.3',
      '4.4.4',
      '4.4.5',
      '4.4.6',
      '4.4.7',
      '5.4.4',
      '5.4.7',
    ],
    class: 'network',
  },
  {
    sample: '550 5.7.1 Message refused by our policy',
    enhanced: ['4.7.1', '5.1.7', '5.1.8', '5.7.0', '5.7.1', '5.7.2', '5.7.7'],
    class: 'policy',
  },
  {
    sample: '451 4.3.0 Temporary lookup failure',
    codes: [421, 450, 451, 452],
    class: 'transient',
  },
]
