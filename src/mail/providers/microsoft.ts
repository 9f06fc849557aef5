import { DAY } from '../../base/clock.ts'
import type { OAuthEndpoints, Provider, ReplyRule } from '../provider.ts'

/*
 * Outlook.com with Hotmail and Live (consumers), and Microsoft 365 (business). Their hosts share a software and
 * their replies; what differs are the MX names. Sources: Microsoft's postmaster pages of 2026-06, logs, Sisimai.
 */

const RULES: readonly ReplyRule[] = [
  {
    sample:
      '421 RP-001 Unfortunately, some messages from 192.0.2.10 weren\u2019t sent. Please try again. We have limits for how many messages can be sent per hour and per day.',
    codes: [421],
    text: /\bRP-00[123]\b/,
    class: 'reputation',
  },
  {
    sample:
      '451 4.7.650 The mail server [192.0.2.10] has been temporarily rate limited due to IP reputation. For e-mail delivery information, see https://postmaster.live.com (S775)',
    enhanced: ['4.7.650', '4.7.651', '4.7.652'],
    class: 'reputation',
  },
  {
    sample: '451 4.7.500 Server busy. Please try again later from [192.0.2.10]. (AS761)',
    enhanced: ['4.7.500'],
    class: 'reputation',
  },
  {
    sample:
      '550 5.7.1 Unfortunately, messages from [192.0.2.10] weren\u2019t sent. Please contact your Internet service provider since part of their network is on our block list (S3150).',
    text: /\b(?:S3140|S3150|AS3150)\b|on our block list/,
    class: 'blocklist',
  },
  {
    sample:
      '550 5.7.606 Access denied, banned sending IP [192.0.2.10]. To request removal from this list please visit https://sender.office.com/.',
    text: /banned sending IP/i,
    class: 'blocklist',
  },
  {
    sample:
      '550 SC-001 Mail rejected by Outlook.com for policy reasons. Reasons for rejection may be related to content with spam-like characteristics or IP/domain reputation.',
    codes: [550],
    text: /\b(?:SC-00[1-4]|DY-00[12]|OU-00[12])\b/,
    class: 'policy',
  },
  {
    sample:
      '550 5.7.515 Access denied, sending domain example.org does not meet the required authentication level.',
    enhanced: ['5.7.515', '5.7.509'],
    class: 'authentication',
  },
  {
    sample:
      '450 4.7.26 Service does not accept messages sent over IPv6 [2001:db8::1] unless they pass either SPF or DKIM validation (message not signed)',
    enhanced: ['4.7.26', '5.7.26'],
    class: 'authentication',
  },
  {
    sample:
      '550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP. For more information please go to http://go.microsoft.com/fwlink/?LinkId=526653 AS(7230)',
    enhanced: ['5.7.511', '5.7.705', '5.7.708', '5.7.750'],
    class: 'policy',
  },
  {
    // Directory-based edge blocking: the recipient is not in the tenant's directory.
    sample: '550 5.4.1 Recipient address rejected: Access denied. AS(201806281)',
    enhanced: ['5.4.1'],
    text: /Recipient address rejected/i,
    class: 'mailbox',
  },
  {
    sample: '550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).',
    text: /mailbox unavailable|RecipientNotFound|mailbox full/i,
    class: 'mailbox',
  },
]

const IMAP = {
  host: 'outlook.office365.com',
  port: 993,
  auth: 'oauth2',
  // Since September 2024, app passwords included.
  noPassword: true,
  idle: true,
  // Sessions over IPv6 end in "User is authenticated but not connected" (2025).
  ipv4Only: true,
  // IDLE and one more are safe; above that comes BYE.
  connections: 2,
} as const

/** @param tenant `consumers` for Outlook.com, `organizations` for business */
function oauthOf(tenant: string): OAuthEndpoints {
  const base = `https://login.microsoftonline.com/${tenant}/oauth2/v2.0`
  return {
    deviceUrl: `${base}/devicecode`,
    authorizeUrl: `${base}/authorize`,
    tokenUrl: `${base}/token`,
    // Without offline_access there is no refresh token, and the sign-in dies every hour.
    scope: 'https://outlook.office.com/IMAP.AccessAsUser.All offline_access',
    idleLimit: 90 * DAY,
  }
}

const ADVICE = [
  'No password is taken over IMAP, app passwords included: sign in with `mailcanary seed login`.',
  'Outlook can accept a sign-in and then refuse every command: IMAP is switched off in the settings of the account, the scope is wrong, or there are too many connections.',
] as const

const SHARED = {
  junkNames: ['Junk', 'Junk Email', 'Junk E-mail'],
  // It names no host in Authentication-Results.
  authHosts: [''],
  verified: 'documentation',
  shaping: { connections: 5, messagesPerConnection: 50, messagesPerMinute: Infinity },
  advice: ADVICE,
  replyRules: RULES,
} as const

export const HOTMAIL: Provider = {
  ...SHARED,
  name: 'hotmail',
  mxSuffixes: ['.olc.protection.outlook.com'],
  imap: IMAP,
  oauth: oauthOf('consumers'),
}

export const MICROSOFT365: Provider = {
  ...SHARED,
  name: 'microsoft365',
  mxSuffixes: ['.mail.protection.outlook.com', '.mx.microsoft'],
  imap: IMAP,
  oauth: oauthOf('organizations'),
}
