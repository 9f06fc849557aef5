import type { Reply } from '../../mail/reply.ts'
import type { RelayEvent } from '../events.ts'
import { titleOf, type Judgement } from '../limits/judge.ts'
import { reply } from './replies.ts'

type Over = Exclude<Judgement, { kind: 'within' }>

/** What the client is told: which limit, and when there is room again. */
export function overLimitReply(over: Over): Reply {
  return reply(450, '4.7.0', `The ${titleOf(over)} is reached, try again after ${minuteAt(over)}`)
}

/** What goes up about it. */
export function overLimitEvent(over: Over, login: string): RelayEvent {
  return {
    kind: 'login-over-limit',
    login,
    limit: over.limit,
    action: over.kind,
    most: over.most,
    until: over.until,
  }
}

function minuteAt({ until }: Over): string {
  // The end of the minute it is in: nobody should come a second too early.
  const text = new Date(Math.ceil(until / 60_000) * 60_000).toISOString()
  return `${text.slice(0, 10)} ${text.slice(11, 16)} UTC`
}
