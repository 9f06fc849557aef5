import { formatDuration } from '../../base/duration.ts'
import type { ProbeEvent } from '../../probe/events.ts'
import type { VerdictLabel } from '../../probe/model.ts'
import { debug, fault, info, many, warn, words, type Entry, type Tone } from './entry.ts'

/** What the log says of an event of the prober. Pure; every kind is here, and the compiler sees to that. */
export function probeEntry(event: ProbeEvent): Entry {
  switch (event.kind) {
    case 'canary-submitted':
      return debug(
        'canary',
        words(event.id, `${event.origin} to ${event.seed}`, 'submitted', event.queueId),
      )
    case 'verdict':
      return verdictEntry(event)
    case 'canary-late':
      return warn(
        'canary',
        `${event.id} ${event.origin} to ${event.seed}: late, after ${formatDuration(event.seconds * 1_000)}; it stays missing`,
      )
    case 'seed-up':
      return { ...info('seed', `${event.seed} (${event.provider}) can be read`), tone: 'good' }
    case 'seed-down':
      return warn('seed', `${event.seed} (${event.provider}) cannot be read: ${event.detail}`)
    case 'token-refreshed':
      return debug(
        'seed',
        `${event.seed} (${event.provider}) has a token until ${new Date(event.until).toISOString()}`,
      )
    case 'token-failed':
      return tokenFailedEntry(event)
    case 'tick-skipped':
      return warn(
        'schedule',
        `${event.probe} skipped ${many(event.ticks, 'tick')} (${event.reason}): ${event.detail}`,
      )
    case 'probe-standing':
      return debug(
        'schedule',
        words(event.probe, event.paused ? 'paused' : '', event.undecided ? 'undecided' : ''),
      )
    case 'detector-alarm':
      return warn(
        'detector',
        `${event.origin} to ${event.provider}: ${event.signal} is worse than usual: ${event.failures} of ${many(event.canaries, 'canary', 'canaries')} failed`,
      )
    case 'detector-calm':
      return {
        ...info(
          'detector',
          `${event.origin} to ${event.provider}: ${event.signal} is as usual again`,
        ),
        tone: 'good',
      }
    case 'forged-canary':
      return warn('seed', `${event.seed} (${event.provider}) got a message with a forged token`)
    case 'probe-fault':
      return fault(event.part, `fault: ${event.cause}`)
  }
}

function tokenFailedEntry(event: Extract<ProbeEvent, { kind: 'token-failed' }>): Entry {
  const seed = `${event.seed} (${event.provider})`
  return event.result === 'refused'
    ? warn('seed', `${seed} cannot sign in until somebody does something: ${event.detail}`)
    : warn('seed', `${seed} could not refresh its token, and tries again: ${event.detail}`)
}

const VERDICT_TONES: Readonly<Record<VerdictLabel, Tone>> = {
  inbox: 'good',
  other: 'good',
  spam: 'doubtful',
  unknown: 'doubtful',
  missing: 'bad',
  bounced: 'bad',
  rejected: 'bad',
}

function verdictEntry(event: Extract<ProbeEvent, { kind: 'verdict' }>): Entry {
  const { seconds, auth, stage } = event
  const took = seconds === undefined ? '' : `after ${formatDuration(seconds * 1_000)}`
  const checks = auth ? `spf=${auth.spf} dkim=${auth.dkim} dmarc=${auth.dmarc}` : ''
  const last = stage === undefined ? '' : `(${stage})`
  return {
    ...info(
      'canary',
      words(
        event.id,
        `${event.origin} to ${event.seed}:`,
        event.verdict,
        took,
        last,
        checks,
        event.detail,
      ),
    ),
    tone: VERDICT_TONES[event.verdict],
  }
}
