import type { Registry } from 'prom-client'

import { FAILURE_CLASSES } from '../../mail/outcome.ts'
import type { RelayEvent } from '../../relay/events.ts'
import { LIMIT_NAMES } from '../../relay/limits/login-limits.ts'
import { combinations, counter, durations, gauge } from './instruments.ts'

/** Label of every destination that is no provider we know by its MX. */
const OTHER = 'other'

const TLS = ['TLSv1.3', 'TLSv1.2', OTHER, 'none'] as const

function tlsLabel(protocol: string): (typeof TLS)[number] {
  if (protocol === '') return 'none'
  return TLS.find(name => name === protocol) ?? OTHER
}

/** Metrics of the relay: logins, messages, delivery attempts and where recipients ended. */
export function relayMetrics(
  registry: Registry,
  providers: readonly string[],
): (event: RelayEvent) => void {
  const known = new Set([...providers, OTHER])
  // Label sets are closed: a name nobody announced is counted, but makes no series of its own.
  const labelOf = (provider: string): string => (known.has(provider) ? provider : OTHER)
  const all = [...known]
  const failures = FAILURE_CLASSES.filter(name => name !== 'none')

  const listeners = gauge(
    registry,
    'mailcanary_relay_listeners',
    'Listeners that have been opened since the start.',
  )
  const logins = counter(
    registry,
    'mailcanary_relay_logins_total',
    'Logins by result. unavailable is trouble of ours, and tells nothing about the password.',
    combinations({ result: ['accepted', 'refused', 'unavailable'] }),
  )
  const messages = counter(
    registry,
    'mailcanary_relay_messages_total',
    'Messages by what the client was told: accepted (250), deferred (4xx), refused (5xx).',
    combinations({ result: ['accepted', 'deferred', 'refused'] }),
  )
  const bytes = counter(
    registry,
    'mailcanary_relay_message_bytes_total',
    'Octets of the messages that were accepted.',
  )
  const limited = counter(
    registry,
    'mailcanary_relay_limited_total',
    'Times a login was over a limit: its message was taken and held (hold), or it was told to come later (defer).',
    combinations({ limit: LIMIT_NAMES, action: ['defer', 'hold'] }),
  )
  const attempts = counter(
    registry,
    'mailcanary_relay_attempts_total',
    'Delivery attempts by outcome and class of the reply.',
    all.flatMap(provider => [
      { provider, outcome: 'delivered', class: 'none' },
      ...combinations({ provider: [provider], outcome: ['deferred', 'bounced'], class: failures }),
    ]),
  )
  const tls = counter(
    registry,
    'mailcanary_relay_delivered_tls_total',
    'Recipients delivered by the TLS of the connection; none is clear text.',
    combinations({ provider: all, tls: TLS }),
  )
  const slowed = counter(
    registry,
    'mailcanary_relay_slowed_down_total',
    'Times a provider objected to our rate or reputation and gets less since then.',
    combinations({ provider: all }),
  )
  const duplicates = counter(
    registry,
    'mailcanary_relay_possible_duplicates_total',
    'Deliveries of a message whose attempt before was cut off after its final dot.',
    combinations({ provider: all }),
  )
  const recipients = counter(
    registry,
    'mailcanary_relay_recipients_total',
    'Recipients that have reached their end.',
    combinations({ provider: all, final: ['delivered', 'bounced', 'removed'] }),
  )
  const delivery = durations(
    registry,
    'mailcanary_relay_delivery_seconds',
    'Seconds from the acceptance of a message to the delivery to a recipient.',
    combinations({ provider: all }),
  )
  const reports = counter(
    registry,
    'mailcanary_relay_reports_total',
    'Delivery reports: queued, or undeliverable themselves.',
    combinations({ result: ['queued', 'undeliverable'] }),
  )
  const workers = counter(
    registry,
    'mailcanary_relay_session_workers_ended_total',
    'Threads of sessions that have died, each with a line in the log; they are started again.',
  )
  const faults = counter(
    registry,
    'mailcanary_relay_faults_total',
    'Faults inside the relay, each with a line in the log.',
  )

  return event => {
    switch (event.kind) {
      case 'relay-listening':
        listeners.inc()
        return
      case 'login':
        logins.inc({ result: event.result })
        return
      case 'message-accepted':
        messages.inc({ result: 'accepted' })
        bytes.inc(event.size)
        return
      case 'message-refused':
        messages.inc({ result: event.code < 500 ? 'deferred' : 'refused' })
        return
      case 'login-over-limit':
        limited.inc({ limit: event.limit, action: event.action })
        return
      case 'attempt': {
        const provider = labelOf(event.provider)
        attempts.inc({ provider, outcome: event.outcome, class: event.class })
        if (event.outcome === 'delivered') {
          tls.inc({ provider, tls: tlsLabel(event.tls) }, event.recipients)
        }
        if (event.possibleDuplicate) duplicates.inc({ provider })
        return
      }
      case 'slowed-down':
        slowed.inc({ provider: labelOf(event.provider) })
        return
      case 'settled': {
        const provider = labelOf(event.provider)
        recipients.inc({ provider, final: event.final })
        if (event.final === 'delivered') delivery.observe({ provider }, event.seconds)
        return
      }
      case 'report-queued':
        reports.inc({ result: 'queued' })
        return
      case 'report-undeliverable':
        reports.inc({ result: 'undeliverable' })
        return
      case 'certificate-reloaded':
        // When they end is asked at each scrape.
        return
      case 'session-worker-ended':
        workers.inc()
        return
      case 'relay-fault':
        faults.inc()
        return
    }
  }
}
