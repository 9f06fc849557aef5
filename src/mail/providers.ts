import type { Provider, Shaping } from './provider.ts'
import { GMAIL } from './providers/gmail.ts'
import { ICLOUD } from './providers/icloud.ts'
import { HOTMAIL, MICROSOFT365 } from './providers/microsoft.ts'
import { RISEUP } from './providers/riseup.ts'
import { YAHOO } from './providers/yahoo.ts'

/** What a host takes of which we know nothing: few close before twenty messages, and Postfix makes twenty connections. */
export const DEFAULT_SHAPING: Shaping = {
  connections: 20,
  messagesPerConnection: 20,
  messagesPerMinute: Infinity,
}

/** Any other server with IMAP, an organisation's own among them: what a configuration does not say is as here. */
export const OTHER: Provider = {
  name: 'other',
  mxSuffixes: [],
  junkNames: ['Junk', 'Junk Email', 'Junk E-mail', 'Spam', 'Bulk', 'Bulk Mail'],
  authHosts: [],
  verified: 'documentation',
  replyRules: [],
  shaping: DEFAULT_SHAPING,
}

/** The providers we know, as data: a new one is a row. */
export const PROVIDERS: readonly Provider[] = [
  GMAIL,
  HOTMAIL,
  MICROSOFT365,
  YAHOO,
  ICLOUD,
  RISEUP,
  OTHER,
]
