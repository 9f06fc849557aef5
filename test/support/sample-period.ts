import { DAY, MINUTE } from '../../src/base/clock.ts'
import type { HistoryStore } from '../../src/probe/history.ts'
import type { Verdict } from '../../src/probe/model.ts'
import { seededRandom } from '../../src/probe/statistics/seeded-random.ts'
import { arrived, canary } from '../contract/history-samples.ts'

/** How likely each end is on one day, for one origin and provider. */
interface Odds {
  readonly lost: number
  readonly spam: number
  readonly seconds: number
}

/** How two origins fared at three providers: on days of theirs yahoo files the one as spam, and loses the other. */
function oddsOf(origin: string, provider: string, day: number): Odds {
  const old = origin === 'old'
  if (provider === 'gmail') return { lost: old ? 0.06 : 0.005, spam: old ? 0.08 : 0.01, seconds: 6 }
  if (provider === 'yahoo') {
    const bad = day % 9 === 4 || day % 9 === 5
    return { lost: 0.01, spam: bad ? 0.6 : 0.02, seconds: old ? 45 : 12 }
  }
  return { lost: day === 20 ? 0.5 : 0.01, spam: 0.03, seconds: 20 }
}

/**
 * Days of canaries to three providers from two origins, in pairs; chance is seeded.
 *
 * @param options.end milliseconds since the epoch
 * @param options.perDay pairs a day and seed
 */
export async function fillHistory(
  history: HistoryStore,
  options: { readonly end: number; readonly days: number; readonly perDay: number },
): Promise<void> {
  const random = seededRandom(1)
  const { end, days, perDay } = options
  for (let day = 0; day < days; day++) {
    for (let i = 0; i < perDay; i++) {
      const at = end - (days - day) * DAY + Math.floor((i * DAY) / perDay) + MINUTE
      for (const provider of ['gmail', 'hotmail', 'yahoo']) {
        for (const origin of ['relay', 'old']) {
          const seed = `${provider}-${(i % 2) + 1}`
          const one = canary({
            scheduledAt: at,
            origin,
            provider,
            seed,
            probe: `${origin}/${seed}`,
          })
          await history.begin(one)
          await history.submitted(one.id, at, '')
          await history.decide(one.id, draw(oddsOf(origin, provider, day)), at + MINUTE)
        }
      }
    }
  }

  function draw({ lost, spam, seconds }: Odds): Verdict {
    if (random() < 0.01) return { kind: 'unknown', reason: 'unreadable' }
    if (random() < lost) return { kind: 'missing', stage: 'provider-accepted' }
    const took = seconds * Math.exp(1.4 * (random() + random() - 1))
    return arrived(random() < spam ? 'spam' : 'inbox', took)
  }
}
