import type { ImapFlow } from 'imapflow'

import type { Clock, Random } from '../base/clock.ts'
import { SECOND } from '../base/clock.ts'
import { readAuthenticationResults } from '../mail/authentication-results.ts'
import { parseHeader, valuesOf } from '../mail/headers.ts'
import { within } from './deadline.ts'
import { type FolderEntry, sortFolders } from './folders.ts'
import { ImapConnection, RETRY_AFTER } from './imap-connection.ts'
import type { Seed } from './seed.ts'

/** What a folder counts as when a canary is found in it. */
export type TakenFor = 'inbox' | 'spam' | 'other' | 'nothing'

export interface InspectedFolder {
  readonly path: string
  readonly takenFor: TakenFor
  /** Why: what the server says of it, or its name. */
  readonly by: string
  /** Undefined where it was not opened. */
  readonly messages?: number
}

/** What one visit to a seed's account has shown. */
export interface Inspection {
  /** Why there is nothing more to say; '' if all could be read. */
  readonly fault: string
  readonly capabilities: readonly string[]
  readonly folders: readonly InspectedFolder[]
  /** Hosts that wrote Authentication-Results into the newest message of INBOX; '' is a header without one. */
  readonly authHosts: readonly string[]
}

export interface InspectOptions {
  readonly clock: Clock
  readonly random: Random
  readonly signal: AbortSignal
  readonly onWire?: (from: 'client' | 'server', text: string) => void
  /** Milliseconds; 60 s unless told. */
  readonly within?: number
}

const WITHIN = 60 * SECOND

/** Of an account that nobody has looked at. @param fault why */
export function unseen(fault: string): Inspection {
  return { fault, capabilities: [], folders: [], authHosts: [] }
}

/** Signs in to a seed's account as the prober does, looks around without changing anything, and leaves. Never throws. */
export async function inspect(
  seed: Pick<Seed, 'imap' | 'provider' | 'junkFolder'>,
  options: InspectOptions,
): Promise<Inspection> {
  const connection = new ImapConnection({
    account: seed.imap,
    ipv4Only: seed.provider.imap?.ipv4Only ?? false,
    retryAfter: RETRY_AFTER,
    ...options,
  })
  const seen: Writable<Inspection> = unseen('')
  try {
    await within(options.within ?? WITHIN, options.signal, async signal => {
      const client = await connection.client(signal)
      seen.capabilities = [...client.capabilities.keys()]
      const entries = await client.list({ listOnly: true })
      seen.folders = classified(entries, seed)
      seen.folders = await opened(client, seen.folders)
      seen.authHosts = await authHostsOf(client)
    })
  } catch (error) {
    seen.fault = connection.failed(error).detail
  } finally {
    await connection.close()
  }
  return seen
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** What each folder is taken for, and by what. */
function classified(
  entries: readonly FolderEntry[],
  seed: Pick<Seed, 'provider' | 'junkFolder'>,
): readonly InspectedFolder[] {
  const { inbox, junk, others } = sortFolders(
    entries,
    seed.junkFolder ?? '',
    seed.provider.junkNames,
  )
  return entries.map(({ path, flags }) => {
    const said = [...flags].filter(flag => !/^\\has(?:no)?children$/i.test(flag)).join(' ')
    if (path === inbox) return { path, takenFor: 'inbox', by: 'name' }
    if (path === junk) {
      const flagged = [...flags].some(flag => /^\\(?:junk|spam)$/i.test(flag))
      return {
        path,
        takenFor: 'spam',
        by: seed.junkFolder ? 'junk_folder' : flagged ? said : 'name',
      }
    }
    return { path, takenFor: others.includes(path) ? 'other' : 'nothing', by: said }
  })
}

/** How much is in the folders that decide. INBOX comes last, and stays open. */
async function opened(
  client: ImapFlow,
  folders: readonly InspectedFolder[],
): Promise<readonly InspectedFolder[]> {
  const counts = new Map<string, number>()
  for (const kind of ['spam', 'inbox'] as const) {
    for (const { path, takenFor } of folders) {
      if (takenFor !== kind) continue
      const box = await client.mailboxOpen(path, { readOnly: true })
      counts.set(path, box.exists)
    }
  }
  return folders.map(folder => {
    const messages = counts.get(folder.path)
    return messages === undefined ? folder : { ...folder, messages }
  })
}

async function authHostsOf(client: ImapFlow): Promise<readonly string[]> {
  if (client.mailbox === false || client.mailbox.exists === 0) return []
  const newest = await client.fetchOne('*', { uid: true, headers: ['authentication-results'] })
  const header = newest === false ? undefined : newest.headers
  return header === undefined
    ? []
    : valuesOf(parseHeader(header), 'authentication-results').map(
        value => readAuthenticationResults(value).host,
      )
}
