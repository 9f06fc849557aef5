import { parseHeader } from '../../mail/headers.ts'
import { bodyOffset, fieldOf } from './header.ts'
import type { StoredMessage } from './mailbox.ts'
import { bad, no } from './refusal.ts'
import { words, type Token } from './tokenizer.ts'
import { dateTime, nstring } from './wire.ts'

const MACROS: Readonly<Record<string, readonly string[]>> = {
  ALL: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE'],
  FAST: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE'],
}
const SECTION = /^BODY(\.PEEK)?\[(.*?)\](?:<(\d+)\.(\d+)>)?$/i
const FIELDS = /^HEADER\.FIELDS(\.NOT)? \((.*)\)$/i

export interface FetchQuirks {
  readonly gmailExtensions: boolean
  readonly headerLists: 'any' | 'one'
}

/** What a FETCH asks for, spelled out. */
export function fetchItems(
  token: Token | undefined,
  byUid: boolean,
  quirks: FetchQuirks,
): string[] {
  const items = words(token).flatMap(item => MACROS[item.toUpperCase()] ?? [item])
  // RFC 3501 section 6.4.8: a UID FETCH always tells the UID.
  if (byUid && !items.some(item => item.toUpperCase() === 'UID')) items.unshift('UID')
  const lists = items.filter(item => /\[HEADER\.FIELDS/i.test(item)).length
  // Seen at Yahoo (MailCore/mailcore2#826).
  if (quirks.headerLists === 'one' && lists > 1) {
    throw no('[UNAVAILABLE] FETCH Server error while fetching messages')
  }
  if (!quirks.gmailExtensions && items.some(item => /^X-GM-/i.test(item))) {
    throw bad('Unknown FETCH item')
  }
  return items
}

/** Whether an item marks the message as read: BODY[...] does, BODY.PEEK[...] does not (section 6.4.5). */
export function marksSeen(item: string): boolean {
  return /^(?:BODY\[|RFC822$|RFC822\.TEXT$)/i.test(item)
}

/** One item of a FETCH response, as latin1 text. */
export function fetchItem(message: StoredMessage, item: string): string {
  const name = item.toUpperCase()
  switch (name) {
    case 'UID':
      return `UID ${message.uid}`
    case 'FLAGS':
      return `FLAGS (${[...message.flags].join(' ')})`
    case 'INTERNALDATE':
      return `INTERNALDATE ${dateTime(message.internalDate)}`
    case 'RFC822.SIZE':
      return `RFC822.SIZE ${message.raw.length}`
    case 'ENVELOPE':
      return `ENVELOPE ${envelope(message.raw)}`
    case 'BODY':
    case 'BODYSTRUCTURE': {
      const size = message.raw.length - bodyOffset(message.raw)
      return `${name} ("text" "plain" ("charset" "utf-8") NIL NIL "8bit" ${size} 1)`
    }
    case 'X-GM-MSGID':
    case 'X-GM-THRID':
      return `${name} ${message.gmailId}`
    case 'X-GM-LABELS':
      return `X-GM-LABELS (${message.labels.map(label => nstring(label)).join(' ')})`
    // RFC 8474 section 5: imapflow asks for both where OBJECTID is advertised.
    case 'EMAILID':
      return `EMAILID (M${message.gmailId})`
    case 'THREADID':
      return 'THREADID NIL'
    case 'RFC822':
      return literal(name, message.raw)
    case 'RFC822.HEADER':
      return literal(name, section(message.raw, 'HEADER'))
    default:
      return bodySection(message.raw, item)
  }
}

function bodySection(raw: Buffer, item: string): string {
  const match = SECTION.exec(item)
  if (!match) throw bad('Unknown FETCH item')
  const [, , name = '', from, length] = match
  const data = section(raw, name)
  if (from === undefined) return literal(`BODY[${name}]`, data)
  const start = Number(from)
  return literal(`BODY[${name}]<${start}>`, data.subarray(start, start + Number(length)))
}

function section(raw: Buffer, name: string): Buffer {
  const fields = FIELDS.exec(name)
  if (fields) {
    const wanted = new Set((fields[2] ?? '').toLowerCase().replaceAll('"', '').split(' '))
    const without = fields[1] !== undefined
    const chosen = parseHeader(raw).filter(field => wanted.has(field.name) !== without)
    return Buffer.concat([...chosen.map(field => field.raw), Buffer.from('\r\n')])
  }
  switch (name.toUpperCase()) {
    case '':
      return raw
    case 'HEADER':
    case 'MIME':
    case '1.MIME':
      return raw.subarray(0, bodyOffset(raw))
    default:
      return raw.subarray(bodyOffset(raw))
  }
}

function literal(name: string, data: Buffer): string {
  return `${name} {${data.length}}\r\n${data.toString('latin1')}`
}

function envelope(raw: Buffer): string {
  const value = (name: string): string | undefined => fieldOf(raw, name)
  const from = value('from')
  const parts = [
    nstring(value('date')),
    nstring(value('subject')),
    addresses(from),
    // Section 7.4.2: an absent Sender or Reply-To is filled from From.
    addresses(value('sender') ?? from),
    addresses(value('reply-to') ?? from),
    addresses(value('to')),
    addresses(value('cc')),
    'NIL',
    nstring(value('in-reply-to')),
    nstring(value('message-id')),
  ]
  return `(${parts.join(' ')})`
}

function addresses(value: string | undefined): string {
  if (value === undefined) return 'NIL'
  const list = value.split(',').map(one => {
    const match = /^\s*(?:"?([^"<]*?)"?\s*<)?([^<>@\s]+)@([^<>\s]+?)>?\s*$/.exec(one)
    if (!match) return ''
    return `(${nstring(match[1] || undefined)} NIL ${nstring(match[2])} ${nstring(match[3])})`
  })
  const text = list.join('')
  return text === '' ? 'NIL' : `(${text})`
}
