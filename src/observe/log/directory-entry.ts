import { formatDuration } from '../../base/duration.ts'
import type { DirectoryEvent } from '../../directory/events.ts'
import { info, many, warn, type Entry } from './entry.ts'

/** What the log says of an event of the directory. Pure; every kind is here, and the compiler sees to that. */
export function directoryEntry(event: DirectoryEvent): Entry {
  switch (event.kind) {
    case 'directory-synced':
      return syncedEntry(event)
    case 'directory-sync-failed':
      return warn('directory', `${event.source} could not be read: ${event.cause}`)
    case 'directory-sync-refused':
      return warn('directory', `${event.source} was not believed: ${event.reason}`)
    case 'directory-loaded':
      return info(
        'directory',
        `${many(event.accounts, 'account')}, ${formatDuration(event.ageSeconds * 1_000)} old`,
      )
  }
}

function syncedEntry(event: Extract<DirectoryEvent, { kind: 'directory-synced' }>): Entry {
  const left = Object.entries(event.rejected).map(([reason, count]) => `${count} ${reason}`)
  const without = left.length === 0 ? '' : `; left out: ${left.join(', ')}`
  const took = formatDuration(event.seconds * 1_000)
  return info(
    'directory',
    `${event.source}: ${many(event.accounts, 'account')}, ${event.changed} changed, in ${took}${without}`,
  )
}
