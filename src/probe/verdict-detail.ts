import { formatReply } from '../mail/reply.ts'
import type { Blindness, Verdict } from './model.ts'
import { deferralWords } from './trace.ts'

/** What a verdict says beside its label: the words of a server, why nothing is known, how it was put off. '' for nothing. */
export function detailOf(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'arrived':
      return [verdict.tab ?? '', deferralWords(verdict.deferrals)]
        .filter(part => part !== '')
        .join(', ')
    case 'missing':
      return deferralWords(verdict.deferrals)
    case 'bounced':
      return formatReply(verdict.reply)
    case 'rejected':
      return [verdict.cause, verdict.reply ? formatReply(verdict.reply) : '']
        .filter(part => part !== '')
        .join(': ')
    case 'unknown':
      return verdict.reason satisfies Blindness
  }
}
