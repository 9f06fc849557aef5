import { formatDuration } from '../../base/duration.ts'
import type { RelayEvent } from '../../relay/events.ts'
import { debug, fault, from, info, many, of, warn, words, type Entry } from './entry.ts'

/** What the log says of an event of the relay. Pure; every kind is here, and the compiler sees to that. */
export function relayEntry(event: RelayEvent): Entry {
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
      return refusedEntry(event)
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
    case 'certificate-reloaded':
      return info(
        'relay',
        `renewed certificate in use: ${event.names.join('; ')}, until ${new Date(event.expiry).toISOString()}`,
      )
    case 'session-worker-ended':
      return fault('relay', `a thread of sessions has ended and is started again: ${event.cause}`)
    case 'relay-fault':
      return fault(event.part, `fault: ${event.cause}`)
  }
}

function loginEntry(event: Extract<RelayEvent, { kind: 'login' }>): Entry {
  const { result, login, cause } = event
  switch (result) {
    case 'accepted':
      return debug('login', 'accepted', of(login))
    case 'refused':
      return { ...info('login', 'refused', of(login)), tone: 'doubtful' }
    case 'unavailable':
      return {
        ...warn('login', `cannot be checked: ${cause ?? 'no reason given'}`),
        person: of(login),
      }
  }
}

function refusedEntry(event: Extract<RelayEvent, { kind: 'message-refused' }>): Entry {
  const { code, enhanced, login, reason } = event
  const entry = warn('message', `refused: ${words(code, enhanced, reason)}`)
  // RFC 3463 section 3.4: the state of the mail system, which is ours. Everything else concerns whoever sends.
  const ours = enhanced.startsWith('4.3.')
  return { ...entry, level: ours ? 'warn' : 'info', person: from(login) }
}

function overLimitEntry(event: Extract<RelayEvent, { kind: 'login-over-limit' }>): Entry {
  const { limit, most, action, login, until } = event
  const became = action === 'hold' ? 'message held' : 'told to come later'
  const name = limit.replaceAll('_', ' ')
  const again = new Date(until).toISOString()
  return {
    ...warn('limit', `over ${most} ${name}, ${became}; room again at ${again}`),
    person: of(login),
  }
}

function slowedEntry(event: Extract<RelayEvent, { kind: 'slowed-down' }>): Entry {
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

function attemptEntry(event: Extract<RelayEvent, { kind: 'attempt' }>): Entry {
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

function formatSize(octets: number): string {
  if (octets < 1_000) return `${octets} B`
  if (octets < 1_000_000) return `${Math.round(octets / 1_000)} kB`
  return `${(octets / 1_000_000).toFixed(1)} MB`
}
