import { formatReply } from '../mail/reply.ts'
import type { ListedCanary } from '../probe/history.ts'
import { labelOf, type Verdict } from '../probe/model.ts'
import { deferralWords } from '../probe/trace.ts'
import type { CanarySummary } from './browser/status-data.ts'

/** A canary in one line of the page. Its token is not in it. */
export function summaryOf(record: ListedCanary): CanarySummary {
  const { canary, verdict } = record
  const summary = {
    id: canary.id,
    at: canary.submittedAt === 0 ? canary.scheduledAt : canary.submittedAt,
    origin: canary.origin,
    provider: canary.provider,
    seed: canary.seed,
    verdict: verdict === undefined ? ('pending' as const) : labelOf(verdict),
    stage: verdict !== undefined && 'stage' in verdict ? verdict.stage : '',
    detail: verdict === undefined ? '' : detailOf(verdict),
    late: record.lateAt > 0,
    queueId: canary.queueId,
  }
  if (verdict?.kind !== 'arrived') return summary
  return { ...summary, seconds: verdict.seconds, auth: verdict.auth }
}

function detailOf(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'arrived':
      return [
        verdict.tab === undefined ? '' : `tab ${verdict.tab}`,
        deferralWords(verdict.deferrals),
      ]
        .filter(part => part !== '')
        .join(', ')
    case 'missing':
      return deferralWords(verdict.deferrals)
    case 'bounced':
      return formatReply(verdict.reply)
    case 'rejected':
      return verdict.reply ? `${verdict.cause}: ${formatReply(verdict.reply)}` : verdict.cause
    case 'unknown':
      return verdict.reason
  }
}
