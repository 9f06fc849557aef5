import { DAY, HOUR, MINUTE, SECOND, type Clock } from '../../src/base/clock.ts'
import { NO_AUTH_RESULTS } from '../../src/mail/authentication-results.ts'
import type { HistoryStore } from '../../src/probe/history.ts'
import type { Canary, Verdict, VerdictLabel } from '../../src/probe/model.ts'
import { wilson } from '../../src/probe/statistics/interval.ts'
import type { RelayEvent } from '../../src/relay/events.ts'
import { RealMailTally } from '../../src/web/real-mail.ts'
import { createStatusSource, type StatusSource } from '../../src/web/status.ts'

export const SEEDS = [
  { name: 'gmail-1', provider: 'gmail', createdAt: Date.now() - 400 * DAY },
  { name: 'hotmail-1', provider: 'hotmail', createdAt: Date.now() - 12.5 * DAY },
  { name: 'yahoo-1', provider: 'yahoo' },
] as const
export const ORIGINS = ['relay', 'old-server'] as const
export const PROVIDERS = SEEDS.map(seed => seed.provider)

let minted = 0

/** A status source as the program would make it, over a history; real mail is given or none. */
export function sampleStatus(
  history: HistoryStore,
  clock: Clock,
  real = new RealMailTally({ clock, providers: PROVIDERS }),
  seeds: readonly { readonly name: string; readonly provider: string }[] = SEEDS,
): StatusSource {
  return createStatusSource({
    history,
    real,
    names: () => ({ origins: ORIGINS, seeds }),
    interval: wilson,
    version: '0.1.0',
    clock,
  })
}

/** A canary that was submitted at a time and got its verdict some seconds later. */
export async function addCanary(
  history: HistoryStore,
  given: {
    readonly at: number
    readonly origin?: string
    readonly provider?: string
    readonly verdict?: Verdict
    readonly late?: boolean
  },
): Promise<Canary> {
  const { at, origin = 'relay', provider = 'gmail' } = given
  minted += 1
  const seed = `${provider}-1`
  const canary: Canary = {
    id: `canary-${minted}`,
    probe: `${origin}/${seed}`,
    origin,
    seed,
    provider,
    content: 'plain',
    token: `token-of-${minted}`,
    scheduledAt: at,
    submittedAt: 0,
    deadlineAt: at + 30 * MINUTE,
    queueId: '',
  }
  await history.begin(canary)
  await history.submitted(canary.id, at, origin === 'relay' ? '01HZXAMP0E000001' : '')
  if (given.verdict) await history.decide(canary.id, given.verdict, at + MINUTE)
  if (given.late === true) await history.late(canary.id, at + HOUR)
  return canary
}

/** A verdict of every kind. */
export function verdictOf(label: VerdictLabel, seconds = 12): Verdict {
  switch (label) {
    case 'inbox':
    case 'spam':
    case 'other':
      return {
        kind: 'arrived',
        placement: label,
        seconds,
        arrivalSource: 'internaldate',
        auth: { ...NO_AUTH_RESULTS, spf: 'pass', dkim: 'pass', dmarc: 'pass' },
      }
    case 'missing':
      return { kind: 'missing', stage: 'provider-accepted' }
    case 'bounced':
      return {
        kind: 'bounced',
        stage: 'provider-refused',
        reply: {
          code: 550,
          enhanced: '5.7.1',
          text: 'Unfortunately, messages from [192.0.2.25] were not sent. Please contact your provider (S3150)',
        },
      }
    case 'rejected':
      return { kind: 'rejected', cause: 'timeout' }
    case 'unknown':
      return { kind: 'unknown', reason: 'sign-in' }
  }
}

/**
 * A day of a prober with a canary every ten minutes: Gmail is well but for one loss, Hotmail files as spam since six
 * hours ago, Yahoo defers, bounces at times, and could not be read for a while.
 */
export async function sampleDay(history: HistoryStore, now: number): Promise<void> {
  for (let index = 0; index < 144; index++) {
    const at = now - (index + 1) * 10 * MINUTE
    const wave = Math.abs(Math.sin(index / 9))
    await addCanary(history, {
      at,
      provider: 'gmail',
      verdict: index === 50 ? verdictOf('missing') : verdictOf('inbox', 2 + wave * 6),
      late: index === 50,
    })
    const spam = index < 36 && index % 5 !== 0
    await addCanary(history, {
      at,
      provider: 'hotmail',
      verdict: verdictOf(spam ? 'spam' : 'inbox', 8 + wave * 30),
    })
    await addCanary(history, { at, provider: 'yahoo', verdict: yahooVerdict(index, wave) })
    if (index % 2 === 0) {
      await addCanary(history, {
        at: at + MINUTE,
        origin: 'old-server',
        provider: index % 4 === 0 ? 'gmail' : 'hotmail',
        verdict: verdictOf(index % 12 === 0 ? 'rejected' : 'inbox', 20 + wave * 80),
      })
    }
  }
  await addCanary(history, { at: now - 20 * SECOND, provider: 'gmail' })
  for (const { name } of SEEDS) {
    const blind = name === 'yahoo-1'
    await history.looked({
      seed: name,
      beganAt: now - 40 * SECOND,
      endedAt: now - 38 * SECOND,
      complete: !blind,
      ...(blind && { blindness: 'sign-in' as const }),
      detail: blind ? 'NO [AUTHENTICATIONFAILED] LOGIN Invalid credentials' : '',
    })
  }
}

function yahooVerdict(index: number, wave: number): Verdict {
  if (index < 8) return verdictOf('unknown')
  if (index % 17 === 0) return verdictOf('bounced')
  return verdictOf('inbox', 30 + wave * 600)
}

/** What the relay reports of one hour of real mail. */
export function realMailEvents(): RelayEvent[] {
  const settled = (provider: string, final: 'delivered' | 'bounced'): RelayEvent => ({
    kind: 'settled',
    id: '01HZXAMP0E000001',
    provider,
    final,
    seconds: 4,
  })
  const many = (count: number, event: RelayEvent): RelayEvent[] =>
    Array.from({ length: count }, () => event)
  const failed = (provider: string, outcome: 'deferred' | 'bounced', why: 'rate' | 'mailbox') =>
    ({
      kind: 'attempt',
      id: '01HZXAMP0E000001',
      destination: 'example.net',
      provider,
      recipients: 1,
      outcome,
      class: why,
      host: 'mx.example.net',
      tls: 'TLSv1.3',
      reply: '421 4.7.0 [TSS04] Messages deferred',
      possibleDuplicate: false,
    }) satisfies RelayEvent
  return [
    ...many(412, settled('gmail', 'delivered')),
    ...many(3, settled('gmail', 'bounced')),
    ...many(3, failed('gmail', 'bounced', 'mailbox')),
    ...many(97, settled('hotmail', 'delivered')),
    ...many(58, settled('yahoo', 'delivered')),
    ...many(41, failed('yahoo', 'deferred', 'rate')),
  ]
}
