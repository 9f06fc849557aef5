import type { Registry } from 'prom-client'

import type { Clock } from '../../base/clock.ts'
import { SECOND } from '../../base/clock.ts'
import type { DirectoryEvent } from '../../directory/events.ts'
import { combinations, counter, gauge } from './instruments.ts'

/** Metrics of the directory's synchronisation; age and number of accounts are inputs, read at each scrape. */
export function directoryMetrics(
  registry: Registry,
  clock: Clock,
): (event: DirectoryEvent) => void {
  const syncs = counter(
    registry,
    'mailcanary_directory_syncs_total',
    'Synchronisations: synced, failed (source unreachable), refused (the result was not believed).',
    combinations({ result: ['synced', 'failed', 'refused'] }),
  )
  const seconds = gauge(
    registry,
    'mailcanary_directory_sync_duration_seconds',
    'Seconds the last successful synchronisation took.',
  )
  const last = gauge(
    registry,
    'mailcanary_directory_last_sync_timestamp_seconds',
    'Unix time of the last successful synchronisation; 0 before the first.',
  )
  const rejected = gauge(
    registry,
    'mailcanary_directory_entries_rejected',
    'Entries the last successful synchronisation left out.',
  )

  return event => {
    switch (event.kind) {
      case 'directory-synced':
        syncs.inc({ result: 'synced' })
        seconds.set(event.seconds)
        last.set(Math.floor(clock() / SECOND))
        rejected.set(Object.values(event.rejected).reduce((sum, count) => sum + count, 0))
        return
      case 'directory-sync-failed':
        syncs.inc({ result: 'failed' })
        return
      case 'directory-sync-refused':
        syncs.inc({ result: 'refused' })
        return
      case 'directory-loaded':
        return
    }
  }
}
