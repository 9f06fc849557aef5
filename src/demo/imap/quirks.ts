import type { FolderRow } from './account.ts'

/**
 * How one provider's IMAP server differs from the book. Data, so that a new provider is a row.
 *
 * Real Outlook.com takes XOAUTH2 only. The demo's takes a password as well, since nothing in the demo is to need an
 * OAuth registration; its capabilities are as logged all the same.
 */
export interface Quirks {
  readonly name: string
  readonly greeting: string
  readonly capabilities: readonly string[]
  readonly folders: readonly FolderRow[]
  /** Shows everything that is neither spam nor bin a second time; '' where there is none. */
  readonly allMail: string
  readonly gmailExtensions: boolean
  readonly search: 'works' | 'broken'
  /** Whether one FETCH may ask for several lists of header fields. */
  readonly headerLists: 'any' | 'one'
  /** At once, for one account. */
  readonly connections: number
  readonly tooManyConnections:
    | { readonly answer: 'no'; readonly text: string }
    /** Says OK to the login and hangs up. */
    | { readonly answer: 'bye'; readonly text: string }
  readonly wrongPassword: string
}

const COMMON_CAPABILITIES = ['IMAP4rev1', 'SASL-IR', 'ID', 'UIDPLUS', 'MOVE', 'NAMESPACE']

export const GMAIL: Quirks = {
  name: 'gmail',
  greeting: 'Gimap ready for requests from 127.0.0.1',
  capabilities: [
    ...COMMON_CAPABILITIES,
    'UNSELECT',
    'IDLE',
    'XLIST',
    'CHILDREN',
    'X-GM-EXT-1',
    'SPECIAL-USE',
    'AUTH=XOAUTH2',
    'AUTH=PLAIN',
  ],
  // Names follow the person's language: here German. Only the attributes are the same everywhere.
  folders: [
    { name: 'INBOX', attributes: [] },
    { name: '[Gmail]', attributes: ['\\Noselect'] },
    { name: '[Gmail]/Alle Nachrichten', attributes: ['\\All'] },
    { name: '[Gmail]/Entw&APw-rfe', attributes: ['\\Drafts'] },
    { name: '[Gmail]/Gesendet', attributes: ['\\Sent'] },
    { name: '[Gmail]/Markiert', attributes: ['\\Flagged'] },
    { name: '[Gmail]/Papierkorb', attributes: ['\\Trash'] },
    { name: '[Gmail]/Spam', attributes: ['\\Junk'] },
    { name: '[Gmail]/Wichtig', attributes: ['\\Important'] },
    { name: 'Listen', attributes: [] },
  ],
  allMail: '[Gmail]/Alle Nachrichten',
  gmailExtensions: true,
  search: 'works',
  headerLists: 'any',
  connections: 15,
  tooManyConnections: {
    answer: 'no',
    text: '[ALERT] Too many simultaneous connections. (Failure)',
  },
  wrongPassword: '[AUTHENTICATIONFAILED] Invalid credentials (Failure)',
}

export const HOTMAIL: Quirks = {
  name: 'hotmail',
  greeting: 'The Microsoft Exchange IMAP4 service is ready.',
  // As logged: no SPECIAL-USE, although LIST shows the attributes.
  capabilities: [
    'IMAP4',
    'IMAP4rev1',
    'AUTH=PLAIN',
    'AUTH=XOAUTH2',
    'SASL-IR',
    'UIDPLUS',
    'MOVE',
    'ID',
    'UNSELECT',
    'CHILDREN',
    'IDLE',
    'NAMESPACE',
    'LITERAL+',
  ],
  folders: [
    { name: 'INBOX', attributes: ['\\Marked'] },
    { name: 'Archive', attributes: [] },
    { name: 'Deleted', attributes: ['\\Trash'] },
    { name: 'Drafts', attributes: ['\\Drafts'] },
    { name: 'Junk', attributes: ['\\Junk'] },
    { name: 'Notes', attributes: [] },
    { name: 'Outbox', attributes: [] },
    { name: 'Sent', attributes: ['\\Sent'] },
  ],
  allMail: '',
  gmailExtensions: false,
  search: 'works',
  headerLists: 'any',
  connections: 4,
  tooManyConnections: { answer: 'bye', text: 'Connection closed. 14' },
  wrongPassword: '[AUTHENTICATIONFAILED] AUTHENTICATE failed.',
}

export const YAHOO: Quirks = {
  name: 'yahoo',
  greeting: 'IMAP4rev1 Hello',
  capabilities: [
    'IMAP4rev1',
    'SASL-IR',
    'AUTH=PLAIN',
    'AUTH=XOAUTH2',
    'AUTH=OAUTHBEARER',
    'ID',
    'MOVE',
    'NAMESPACE',
    'XYMHIGHESTMODSEQ',
    'UIDPLUS',
    'LITERAL+',
    'CHILDREN',
    'X-MSG-EXT',
    'OBJECTID',
  ],
  folders: [
    { name: 'Inbox', attributes: [] },
    { name: 'Archive', attributes: ['\\Archive'] },
    { name: 'Bulk', attributes: ['\\Junk'] },
    { name: 'Draft', attributes: ['\\Drafts'] },
    { name: 'Sent', attributes: ['\\Sent'] },
    { name: 'Trash', attributes: ['\\Trash'] },
    { name: 'Newsletters', attributes: [] },
  ],
  allMail: '',
  gmailExtensions: false,
  search: 'broken',
  headerLists: 'one',
  connections: 5,
  tooManyConnections: { answer: 'no', text: '[LIMIT] LOGIN Rate limit hit.' },
  wrongPassword: '[AUTHENTICATIONFAILED] LOGIN Invalid credentials',
}

/** A server without quirks: what a small provider runs. */
export const PLAIN: Quirks = {
  name: 'plain',
  greeting: 'ready',
  capabilities: [
    ...COMMON_CAPABILITIES,
    'LITERAL+',
    'UNSELECT',
    'IDLE',
    'SPECIAL-USE',
    'AUTH=PLAIN',
  ],
  folders: [
    { name: 'INBOX', attributes: [] },
    { name: 'Junk', attributes: ['\\Junk'] },
    { name: 'Sent', attributes: ['\\Sent'] },
    { name: 'Trash', attributes: ['\\Trash'] },
    { name: 'Lists', attributes: [] },
  ],
  allMail: '',
  gmailExtensions: false,
  search: 'works',
  headerLists: 'any',
  connections: 50,
  tooManyConnections: { answer: 'no', text: '[LIMIT] Too many connections' },
  wrongPassword: '[AUTHENTICATIONFAILED] Authentication failed.',
}

/** Ways in which a mailbox cannot be read. */
export type Fault =
  | 'none'
  /** Passing trouble, said at login. */
  | 'unreadable'
  /** Takes every command and answers none. */
  | 'hang'
  /** Hangs up as soon as somebody connects. */
  | 'drop'
  /** Outlook.com: says OK to the login and refuses every command after it. */
  | 'not-connected'
  /** Outlook.com. */
  | 'throttled'
  /** Yahoo. */
  | 'limit'
  /** Has too many connections open, as far as it is concerned. */
  | 'crowded'
  /** Hangs up whenever somebody waits for news. */
  | 'idle-closed'
  /** Tells whoever waits for news of messages that are not there. */
  | 'phantom'
