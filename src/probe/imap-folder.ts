import type { FetchMessageObject, ImapFlow } from 'imapflow'

import { HOUR } from '../base/clock.ts'
import { Problem } from '../base/problem.ts'
import { parseDate } from '../mail/date.ts'
import { type HeaderField, parseHeader, valuesOf } from '../mail/headers.ts'
import type { Cursor, FoundMessage } from './mailbox.ts'
import type { Placement } from './model.ts'

/** What one folder had to show. */
export interface FolderReading {
  readonly cursor: Cursor
  readonly messages: readonly FoundMessage[]
  /** The cursor was still valid, or there was none. */
  readonly valid: boolean
  /** There is more than one reading takes; the cursor stands where it ended. */
  readonly more: boolean
  /** How many messages were in it when it was opened. */
  readonly exists: number
}

export const MAX_HEADER_SECTION = 64 * 1024
/** Messages of one folder in one reading: bounds memory to 64 KiB times this, and in practice to some 2 MiB. */
export const MAX_MESSAGES = 250

/** Of a message that is wanted whole. */
export const MAX_SOURCE = 64 * 1024

export type WantsSource = (fields: readonly HeaderField[]) => boolean

const TABS = ['promotions', 'social', 'updates', 'forums']
const CHUNK = 50
/** More UIDs than this behind a cursor are not a seed's folder. */
const MAX_LISTED = 200_000
// INTERNALDATE is the server's clock, and the one of a message put in by hand is anything.
const SLACK = HOUR
// Where the server's clock is wrong its dates tell nothing: of the last messages the Date counts too, which the sender wrote.
const LATEST = 50

/**
 * Reads a folder from a cursor to its end, without changing anything in it: EXAMINE (RFC 9051 section 6.3.3) and
 * BODY.PEEK (section 6.4.5). Finds by UID range, since SEARCH does not work everywhere (Yahoo).
 *
 * @param wantsSource asked by its header whether a message is fetched with what follows it
 * @param since where there is no valid cursor, messages that arrived before are passed over
 */
export async function readFolder(
  client: ImapFlow,
  folder: string,
  placement: Placement,
  cursor: Cursor | undefined,
  since: number,
  wantsSource?: WantsSource,
): Promise<FolderReading> {
  const box = await client.mailboxOpen(folder, { readOnly: true })
  // The library goes on counting in the same object.
  const { exists } = box
  const uidValidity = String(box.uidValidity)
  const known = cursor?.uidValidity === uidValidity ? cursor : undefined
  const listed = exists === 0 ? [] : await listFrom(client, known?.uidNext ?? 1)
  const isOld = (at: number | undefined): boolean => (at ?? since) < since - SLACK
  const newest = listed.at(-LATEST)?.uid ?? 0
  const wanted = listed.filter(
    message =>
      // Gmail's labels: what is in the inbox shows in All Mail too, maybe before we read the inbox.
      !(placement === 'other' && message.inInbox) &&
      (known !== undefined || message.uid >= newest || !isOld(message.internalDate)),
  )
  const taken = wanted.slice(0, MAX_MESSAGES)
  const more = wanted.length > taken.length
  const last = (more ? taken : listed).at(-1)?.uid
  const headers = await headersOf(
    client,
    taken.map(message => message.uid),
  )
  const tabs =
    placement === 'inbox' && client.capabilities.has('X-GM-EXT-1')
      ? await tabsOf(client, [...headers.keys()])
      : new Map<number, string>()
  const sources = await sourcesOf(client, headers, wantsSource)
  const messages = taken.flatMap(({ uid, internalDate }) => {
    const header = headers.get(uid)
    // Removed between the two commands: by whoever owns the account.
    if (header === undefined) return []
    if (known === undefined && isOld(internalDate) && isOld(sentAt(header))) return []
    const tab = tabs.get(uid)
    const source = sources.get(uid)
    const found = { folder, placement, uid, uidValidity, internalDate, header }
    return [{ ...found, ...(tab !== undefined && { tab }), ...(source && { source }) }]
  })
  return {
    cursor: { folder, uidValidity, uidNext: last === undefined ? (known?.uidNext ?? 1) : last + 1 },
    messages,
    valid: cursor === undefined || known !== undefined,
    more,
    exists,
  }
}

interface Listed {
  readonly uid: number
  readonly internalDate: number | undefined
  /** Bears Gmail's label of the inbox, in whatever folder it was listed. */
  readonly inInbox: boolean
}

/** UIDs and dates from a UID on, ascending. */
async function listFrom(client: ImapFlow, from: number): Promise<readonly Listed[]> {
  const listed: Listed[] = []
  for await (const message of client.fetch(
    `${from}:*`,
    { uid: true, internalDate: true, labels: client.capabilities.has('X-GM-EXT-1') },
    { uid: true },
  )) {
    // RFC 9051 section 6.4.8: `n:*` always holds the last message, even where its UID is below n.
    if (message.uid < from) continue
    if (listed.length >= MAX_LISTED)
      throw new Problem(`a folder of more than ${MAX_LISTED} messages`)
    listed.push({
      uid: message.uid,
      internalDate: dateOf(message),
      inInbox: message.labels?.has('\\Inbox') ?? false,
    })
  }
  return listed.sort((a, b) => a.uid - b.uid)
}

async function headersOf(
  client: ImapFlow,
  uids: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  const headers = new Map<number, string>()
  const query = {
    uid: true,
    bodyParts: [{ key: 'HEADER', start: 0, maxLength: MAX_HEADER_SECTION }],
  }
  for (let i = 0; i < uids.length; i += CHUNK) {
    const range = uids.slice(i, i + CHUNK).join(',')
    for await (const message of client.fetch(range, query, { uid: true })) {
      const section = message.headers?.subarray(0, MAX_HEADER_SECTION)
      if (section) headers.set(message.uid, section.toString('latin1'))
    }
  }
  return headers
}

async function sourcesOf(
  client: ImapFlow,
  headers: ReadonlyMap<number, string>,
  wantsSource: WantsSource = () => false,
): Promise<ReadonlyMap<number, Buffer>> {
  const sources = new Map<number, Buffer>()
  const wanted = [...headers].flatMap(([uid, header]) =>
    wantsSource(parseHeader(Buffer.from(header, 'latin1'))) ? [uid] : [],
  )
  const query = { uid: true, source: { start: 0, maxLength: MAX_SOURCE } }
  for (let i = 0; i < wanted.length; i += CHUNK) {
    const range = wanted.slice(i, i + CHUNK).join(',')
    for await (const { uid, source } of client.fetch(range, query, { uid: true })) {
      if (source) sources.set(uid, source.subarray(0, MAX_SOURCE))
    }
  }
  return sources
}

/** Gmail's tabs. SEARCH only classifies UIDs that are known; where it fails there is no tab. */
async function tabsOf(client: ImapFlow, uids: readonly number[]): Promise<Map<number, string>> {
  const tabs = new Map<number, string>()
  if (uids.length === 0) return tabs
  for (const tab of TABS) {
    const found = await client.search(
      { uid: uids.slice(0, CHUNK).join(','), gmraw: `category:${tab}` },
      { uid: true },
    )
    for (const uid of Array.isArray(found) ? found : []) tabs.set(uid, tab)
  }
  return tabs
}

/** The Date of a message; long ago where it has none. */
function sentAt(header: string): number {
  const fields = parseHeader(Buffer.from(header, 'latin1'))
  return parseDate(valuesOf(fields, 'date')[0] ?? '') ?? 0
}

function dateOf(message: FetchMessageObject): number | undefined {
  const { internalDate } = message
  const at = internalDate instanceof Date ? internalDate.getTime() : Date.parse(internalDate ?? '')
  return Number.isFinite(at) ? at : undefined
}
