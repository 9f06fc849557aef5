import type { ImapFlow } from 'imapflow'

import { type Clock, type Random, SECOND } from '../base/clock.ts'
import { pause, within } from './deadline.ts'
import { type Folders, sortFolders } from './folders.ts'
import { ImapConnection, type ImapConnectionOptions, RETRY_AFTER } from './imap-connection.ts'
import { isNo } from './imap-errors.ts'
import { type FolderReading, readFolder, type WantsSource } from './imap-folder.ts'
import type { Cursor, FoundMessage, Mailbox, Reading } from './mailbox.ts'
import type { Placement } from './model.ts'
import type { Seed } from './seed.ts'

export interface ImapMailboxOptions extends ImapConnectionOptions {
  /** Whether IDLE may be used where it is advertised. */
  readonly idle: boolean
  /** Path of the junk folder from the configuration, or ''. */
  readonly junkFolder: string
  /** What the provider is known to call its junk folder. */
  readonly junkNames: readonly string[]
  /** Told by its header whether more of a message is wanted; nothing is unless told. */
  readonly wantsSource?: WantsSource
  /** The most one reading may take, milliseconds; 60 s unless told. */
  readonly readWithin?: number
}

const READ_WITHIN = 60 * SECOND
/** Milliseconds before mail is looked for that came during a reading. */
const AGAIN_AFTER = SECOND / 4
const PLACEMENTS: readonly Placement[] = ['inbox', 'spam', 'other']

/** The mailbox of a seed, set up as its provider needs it. */
export function imapMailboxOf(seed: Seed, clock: Clock, random: Random): Mailbox {
  return new ImapMailbox({
    account: seed.imap,
    idle: seed.provider.imap?.idle ?? true,
    ipv4Only: seed.provider.imap?.ipv4Only ?? false,
    junkNames: seed.provider.junkNames,
    junkFolder: seed.junkFolder ?? '',
    retryAfter: seed.retryAfter ?? RETRY_AFTER,
    clock,
    random,
  })
}

/** A seed's account over IMAP4rev1 or rev2 (RFC 3501, RFC 9051), by one connection. */
export class ImapMailbox implements Mailbox {
  readonly #options: ImapMailboxOptions
  readonly #connection: ImapConnection
  #folders: Folders | undefined
  /** Messages of the folder that is open, when it was opened. */
  #exists = 0

  constructor(options: ImapMailboxOptions) {
    this.#options = options
    this.#connection = new ImapConnection(options)
  }

  async read(
    cursors: readonly Cursor[],
    since: number,
    scope: 'main' | 'all',
    signal: AbortSignal,
  ): Promise<Reading> {
    const progress = new Progress(cursors)
    try {
      await within(this.#options.readWithin ?? READ_WITHIN, signal, inner =>
        this.#read(progress, since, scope, inner),
      )
    } catch (error) {
      if (signal.aborted) {
        this.#connection.drop()
        return progress.broken({ blindness: 'prober-stopped', detail: 'stopped' })
      }
      this.#folders = undefined
      return progress.broken(this.#connection.failed(error))
    }
    this.#connection.succeeded()
    if (this.#folders?.junk === undefined) {
      // A folder made later, or renamed, is found by the next look.
      this.#folders = undefined
      return progress.reading(false, {
        blindness: 'no-junk-folder',
        detail: 'the account has no folder that can be taken for junk: set junkFolder',
      })
    }
    return progress.reading(progress.valid && !progress.more, undefined)
  }

  async waitForNews(atMost: number, signal: AbortSignal): Promise<void> {
    const client = this.#connection.current
    const unwanted = client?.capabilities.has('IDLE') === true && !this.#options.idle
    if (!client || !client.mailbox || unwanted) {
      await pause(atMost, signal)
      return
    }
    // A server says once that there is more (RFC 9051 section 7.4.1): IDLE does not repeat what it said with a FETCH of the
    // reading. One that counts differently each time must not keep us busy.
    if (client.mailbox.exists > this.#exists) {
      await pause(Math.min(atMost, AGAIN_AFTER), signal)
      return
    }
    const news = new AbortController()
    const wake = (): void => news.abort()
    client.on('exists', wake)
    client.on('close', wake)
    signal.addEventListener('abort', wake, { once: true })
    // IDLE where the server has it, else NOOP each minute, which keeps the connection. It ends when the next reading
    // sends a command (RFC 2177 section 3); what fails, fails there.
    client.idle().catch(() => undefined)
    if (signal.aborted) wake()
    await pause(atMost, news.signal)
    client.off('exists', wake)
    client.off('close', wake)
    signal.removeEventListener('abort', wake)
  }

  async remove(
    folder: string,
    uidValidity: string,
    uids: readonly number[],
    signal: AbortSignal,
  ): Promise<number> {
    const client = this.#connection.current
    // RFC 4315: without UIDPLUS an EXPUNGE also removes what others have marked.
    if (!client?.capabilities.has('UIDPLUS') || uids.length === 0) return 0
    try {
      return await within(this.#options.readWithin ?? READ_WITHIN, signal, async () => {
        const box = await client.mailboxOpen(folder, { readOnly: false })
        if (String(box.uidValidity) !== uidValidity) return 0
        const done = await client.messageDelete(uids.join(','), { uid: true })
        return done ? uids.length : 0
      })
    } catch (error) {
      this.#connection.failed(error)
      return 0
    }
  }

  async close(): Promise<void> {
    await this.#connection.close()
  }

  async #read(
    progress: Progress,
    since: number,
    scope: 'main' | 'all',
    signal: AbortSignal,
  ): Promise<void> {
    const { wantsSource } = this.#options
    const client = await this.#connection.client(signal)
    if (this.#folders === undefined || scope === 'all') this.#folders = await this.#list(client)
    const { inbox, junk, others } = this.#folders
    // INBOX comes last: what is in a view of everything (Gmail's All Mail) and in INBOX is then seen in both by the
    // same reading, and INBOX is left open for IDLE. A reading that decides loss begins with INBOX too: what is moved
    // into junk while it reads (Microsoft does so minutes after delivery) is then seen in one or the other.
    const folders: (readonly [string, Placement])[] = [
      ...(scope === 'all' ? [[inbox, 'inbox'] as const] : []),
      ...(scope === 'all' ? others.map(folder => [folder, 'other'] as const) : []),
      ...(junk === undefined ? [] : [[junk, 'spam'] as const]),
      [inbox, 'inbox'],
    ]
    for (const [folder, placement] of folders) {
      signal.throwIfAborted()
      try {
        const cursor = progress.cursor(folder)
        const part = await readFolder(client, folder, placement, cursor, since, wantsSource)
        this.#exists = part.exists
        progress.add(part, placement)
      } catch (error) {
        // A folder that is listed and cannot be opened (Outlook's Outbox, somebody's shared one) makes nobody blind.
        if (placement !== 'other' || !isNo(error)) throw error
      }
    }
  }

  async #list(client: ImapFlow): Promise<Folders> {
    const entries = await client.list({ listOnly: true })
    return sortFolders(entries, this.#options.junkFolder, this.#options.junkNames)
  }
}

/** What one reading has come to: what was read before a failure is not lost by it. */
class Progress {
  readonly #cursors: Map<string, Cursor>
  readonly #messages: FoundMessage[] = []
  /** All cursors were still valid. */
  valid = true
  /** There is more to read than one reading takes. */
  more = false

  readonly #before: readonly Cursor[]
  readonly #parts: { readonly placement: Placement; readonly reading: FolderReading }[] = []

  constructor(cursors: readonly Cursor[]) {
    this.#before = cursors
    this.#cursors = new Map(cursors.map(cursor => [cursor.folder, cursor]))
  }

  cursor(folder: string): Cursor | undefined {
    return this.#cursors.get(folder)
  }

  add(part: FolderReading, placement: Placement): void {
    this.#parts.push({ placement, reading: part })
    this.#cursors.set(part.cursor.folder, part.cursor)
    this.#messages.push(...part.messages)
    this.valid &&= part.valid
    this.more ||= part.more
  }

  /**
   * What remains of a reading that broke off. What was seen elsewhere than in INBOX is read again: whether it lies in INBOX
   * too, which would count, was not seen.
   */
  broken(fault: Pick<Reading, 'blindness' | 'detail'>): Reading {
    const rest = new Progress(this.#before)
    for (const part of this.#parts) {
      if (part.placement === 'inbox') rest.add(part.reading, part.placement)
    }
    return rest.reading(false, fault)
  }

  reading(complete: boolean, fault: Pick<Reading, 'blindness' | 'detail'> | undefined): Reading {
    const messages = PLACEMENTS.flatMap(placement =>
      this.#messages.filter(message => message.placement === placement),
    )
    return {
      cursors: [...this.#cursors.values()],
      messages,
      complete,
      ...(fault?.blindness === undefined ? {} : { blindness: fault.blindness }),
      detail:
        fault?.detail ?? (this.more ? 'more to read' : this.valid ? '' : 'UIDVALIDITY changed'),
    }
  }
}
