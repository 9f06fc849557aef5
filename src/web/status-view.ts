import type { CanaryFilter } from '../probe/history.ts'
import type { CanaryList, CanarySummary, RangeName, Status } from './browser/status-data.ts'
import { summaryOf } from './canary-summary.ts'
import type { StatusSource } from './status.ts'

/** What a listener shows of the status. */
export interface StatusView {
  status(range: RangeName): Promise<Status>
  canaries(filter: CanaryFilter): Promise<CanaryList>
}

/** For those who run it: everything. */
export function wholeView(source: StatusSource): StatusView {
  return { status: range => source.status(range), canaries: filter => listOf(source, filter) }
}

/**
 * For everybody: whether mail arrives, and nothing that names a person, an account or a server. Seeds are called by their
 * provider and a number; words of servers are left out, since they repeat addresses; so is real mail, whose amount is
 * the organisation's own business.
 */
export function publicView(source: StatusSource): StatusView {
  return {
    status: async range => {
      const status = await source.status(range)
      return {
        ...status,
        public: true,
        version: '',
        seeds: status.seeds.map((seed, index) => ({
          ...seed,
          seed: `${seed.provider} ${status.seeds.slice(0, index).filter(before => before.provider === seed.provider).length + 1}`,
          detail: '',
        })),
        real: { since: status.real.since, providers: [] },
      }
    },
    // Of one seed nobody is to ask by its name.
    canaries: async asked => {
      const { seed: _, ...filter } = asked
      const { canaries, ...more } = await listOf(source, filter)
      return { canaries: canaries.map(anonymous), ...more }
    },
  }
}

function anonymous(canary: CanarySummary): CanarySummary {
  return { ...canary, id: '', seed: canary.provider, detail: '', queueId: '' }
}

async function listOf(source: StatusSource, filter: CanaryFilter): Promise<CanaryList> {
  const records = await source.canaries({ ...filter, limit: filter.limit + 1 })
  const next = records[filter.limit]
  if (next === undefined) return { canaries: records.map(summaryOf) }
  // A part ends between two moments, so that none of the same moment is left out or told twice.
  const { scheduledAt } = next.canary
  const whole = records.filter(({ canary }) => canary.scheduledAt > scheduledAt)
  return whole.length === 0
    ? { canaries: records.slice(0, filter.limit).map(summaryOf), older: scheduledAt }
    : { canaries: whole.map(summaryOf), older: scheduledAt + 1 }
}
