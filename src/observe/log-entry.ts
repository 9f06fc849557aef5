import type { AccountEvent } from '../account/events.ts'
import { formatDuration } from '../base/duration.ts'
import type { DirectoryEvent } from '../directory/events.ts'
import type { ProbeEvent } from '../probe/events.ts'
import type { VerdictLabel } from '../probe/model.ts'
import type { RelayEvent } from '../relay/events.ts'

export const LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type Level = (typeof LEVELS)[number]

/** How good the news is: what a colour may stress, and the words already say. */
export type Tone = 'plain' | 'good' | 'doubtful' | 'bad'

/** One event as a line of the log, before anybody has chosen a format. */
export interface Entry {
  readonly level: Level
  readonly tone: Tone
  /** What it is about, one word: `queue`, `canary`. */
  readonly subject: string
  readonly text: string
  /** Whom it concerns; named at debug level only, below it by a pseudonym. */
  readonly person: Person | undefined
}

/** A login, or the domain where somebody has mail. */
export interface Person {
  readonly preposition: 'from' | 'for' | 'to'
  readonly name: string
}

type Event = RelayEvent | ProbeEvent | DirectoryEvent | AccountEvent

/** What the log says of an event. Pure; every kind is here, and the compiler sees to that. */
export function entryOf(event: Event): Entry {
  switch (event.kind) {
    case 'relay-listening':
      return info('relay', `${event.listener} listens on ${event.address}`)
    case 'login':
      return loginEntry(event)
    case 'message-accepted':
      return info(
        'message',
        `${event.id} accepted, ${formatSize(event.size)} for ${many(event.recipients, 'recipient')}`,
        from(event.login),
      )
    case 'message-refused':
      return {
        ...info(
          'message',
          `refused: ${words(event.code, event.enhanced, event.reason)}`,
          from(event.login),
        ),
        tone: 'doubtful',
      }
    case 'login-over-limit':
      return overLimitEntry(event)
    case 'attempt':
      return attemptEntry(event)
    case 'settled':
      return debug(
        'queue',
        `${event.id} ${event.final} after ${formatDuration(event.seconds * 1_000)} (${event.provider})`,
      )
    case 'slowed-down':
      return slowedEntry(event)
    case 'report-queued':
      return info('report', `${event.id} queued, about ${event.about}`)
    case 'report-undeliverable':
      return warn('report', `${event.id} cannot be delivered: ${event.reply}`)
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
    case 'certificate-reloaded':
      return info(
        'relay',
        `renewed certificate in use: ${event.names.join('; ')}, until ${new Date(event.expiry).toISOString()}`,
      )
    case 'session-worker-ended':
      return {
        ...warn('relay', `a thread of sessions has ended and is started again: ${event.cause}`),
        level: 'error',
        tone: 'bad',
      }
    case 'relay-fault':
    case 'probe-fault':
      return { ...warn(event.part, `fault: ${event.cause}`), level: 'error', tone: 'bad' }
    case 'account-sign-in':
      return signInEntry(event)
    case 'mail-password-change':
      return changeEntry(event)
    case 'application-password':
      return info('account', `application password ${event.action}`, of(event.login))
    case 'account-fault':
      return { ...warn('account', `fault: ${event.cause}`), level: 'error', tone: 'bad' }
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

function tokenFailedEntry(event: Extract<Event, { kind: 'token-failed' }>): Entry {
  const seed = `${event.seed} (${event.provider})`
  return event.result === 'refused'
    ? warn('seed', `${seed} cannot sign in until somebody does something: ${event.detail}`)
    : warn('seed', `${seed} could not refresh its token, and tries again: ${event.detail}`)
}

function loginEntry(event: Extract<Event, { kind: 'login' }>): Entry {
  const { result, login, cause } = event
  switch (result) {
    case 'accepted':
      return debug('login', 'accepted', { preposition: 'for', name: login })
    case 'refused':
      return { ...info('login', 'refused', { preposition: 'for', name: login }), tone: 'doubtful' }
    case 'unavailable':
      return {
        ...warn('login', `cannot be checked: ${cause ?? 'no reason given'}`),
        person: { preposition: 'for', name: login },
      }
  }
}

function signInEntry(event: Extract<Event, { kind: 'account-sign-in' }>): Entry {
  const { result, way, login, cause } = event
  const why = cause === undefined ? '' : `: ${cause}`
  const text = `${way} password ${result}${why}`
  const entry = info('account', text, of(login))
  if (result === 'unavailable') return { ...warn('account', text), person: of(login) }
  return result === 'accepted' ? entry : { ...entry, tone: 'doubtful' }
}

function changeEntry(event: Extract<Event, { kind: 'mail-password-change' }>): Entry {
  const { result, login, cause } = event
  const why = cause === undefined ? '' : `: ${cause}`
  const text = `change of the mail password: ${result}${why}`
  return result === 'changed'
    ? { ...info('account', text, of(login)), tone: 'good' }
    : { ...warn('account', text), person: of(login) }
}

function overLimitEntry(event: Extract<Event, { kind: 'login-over-limit' }>): Entry {
  const { limit, most, action, login, until } = event
  const became = action === 'hold' ? 'message held' : 'told to come later'
  const name = limit.replaceAll('_', ' ')
  const again = new Date(until).toISOString()
  return {
    ...warn('limit', `over ${most} ${name}, ${became}; room again at ${again}`),
    person: { preposition: 'for', name: login },
  }
}

function slowedEntry(event: Extract<Event, { kind: 'slowed-down' }>): Entry {
  const { connections, messagesPerMinute, name, pausedUntil, provider, reply } = event
  const where = name === provider ? name : `${provider} (${name})`
  const again =
    pausedUntil === 0 ? '' : `nothing until ${new Date(pausedUntil).toISOString()}, then`
  const rate = messagesPerMinute === undefined ? '' : many(messagesPerMinute, 'message')
  const most = connections === undefined ? '' : `over ${many(connections, 'connection')}`
  return warn(
    'shaping',
    words(`${where} objects,`, again, 'at most', rate, 'a minute', most, `after: ${reply}`),
  )
}

function attemptEntry(event: Extract<Event, { kind: 'attempt' }>): Entry {
  const tones = { delivered: 'good', deferred: 'doubtful', bounced: 'bad' } as const
  const where = event.host === '' ? event.provider : `${event.provider} (${event.host})`
  const why = event.outcome === 'delivered' ? '' : `${event.class}:`
  const again = event.possibleDuplicate ? 'possibly a second copy' : ''
  return {
    ...info(
      'queue',
      words(event.id, `${event.outcome} at ${where}`, event.tls, why, event.reply, again),
    ),
    tone: tones[event.outcome],
    person: { preposition: 'to', name: event.destination },
  }
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

function verdictEntry(event: Extract<Event, { kind: 'verdict' }>): Entry {
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

function syncedEntry(event: Extract<Event, { kind: 'directory-synced' }>): Entry {
  const left = Object.entries(event.rejected).map(([reason, count]) => `${count} ${reason}`)
  const without = left.length === 0 ? '' : `; left out: ${left.join(', ')}`
  const took = formatDuration(event.seconds * 1_000)
  return info(
    'directory',
    `${event.source}: ${many(event.accounts, 'account')}, ${event.changed} changed, in ${took}${without}`,
  )
}

function from(login: string): Person {
  return { preposition: 'from', name: login }
}

function of(login: string): Person {
  return { preposition: 'for', name: login }
}

function info(subject: string, text: string, person?: Person): Entry {
  return { level: 'info', tone: 'plain', subject, text, person }
}

function debug(subject: string, text: string, person?: Person): Entry {
  return { ...info(subject, text, person), level: 'debug' }
}

function warn(subject: string, text: string): Entry {
  return { ...info(subject, text), level: 'warn', tone: 'doubtful' }
}

function words(...parts: readonly (string | number)[]): string {
  return parts.filter(part => part !== '').join(' ')
}

function many(count: number, one: string, more = `${one}s`): string {
  return `${count} ${count === 1 ? one : more}`
}

function formatSize(octets: number): string {
  if (octets < 1_000) return `${octets} B`
  if (octets < 1_000_000) return `${Math.round(octets / 1_000)} kB`
  return `${(octets / 1_000_000).toFixed(1)} MB`
}
