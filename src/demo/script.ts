import type { Behaviour } from './behaviour.ts'
import { CYCLE, HEALTHY_START, INCIDENTS, type Incident } from './incidents.ts'

export interface ScriptOptions {
  /** How long nothing goes wrong after the start, milliseconds; Infinity for never. */
  readonly healthyStart?: number
  /** Length of a cycle, milliseconds; the incidents keep their places in it, the rest is quiet. */
  readonly cycle?: number
  /** 2 runs twice as fast; healthy start and incidents shrink alike. */
  readonly speed?: number
  readonly incidents?: readonly Incident[]
}

/** An incident at its times of one cycle, milliseconds since the epoch. */
export interface Occurrence {
  readonly provider: string
  readonly behaviour: Incident['behaviour']
  readonly what: string
  readonly beganAt: number
  readonly endsAt: number
}

/** What goes wrong when: a pure function of the time since the start. */
export class Script {
  readonly #startedAt: number
  readonly #healthyStart: number
  readonly #cycle: number
  readonly #speed: number
  readonly #incidents: readonly Incident[]

  constructor(startedAt: number, options: ScriptOptions = {}) {
    this.#startedAt = startedAt
    this.#speed = options.speed ?? 1
    this.#incidents = options.incidents ?? INCIDENTS
    this.#healthyStart = (options.healthyStart ?? HEALTHY_START) / this.#speed
    const longest = Math.max(1, ...this.#incidents.map(incident => incident.ends))
    this.#cycle = Math.max(options.cycle ?? CYCLE, longest) / this.#speed
  }

  /** What is going wrong at this time. */
  incidents(at: number): Occurrence[] {
    return this.between(at, at)
  }

  /** What goes wrong at any time from `from` to `until`, in the order in which it begins. */
  between(from: number, until: number): Occurrence[] {
    const origin = this.#startedAt + this.#healthyStart
    if (!Number.isFinite(origin) || until < origin) return []
    const first = Math.max(0, Math.floor((from - origin) / this.#cycle))
    const last = Math.floor((until - origin) / this.#cycle)
    const found: Occurrence[] = []
    for (let round = first; round <= last; round++) {
      const cycleAt = origin + round * this.#cycle
      for (const { provider, behaviour, what, begins, ends } of this.#incidents) {
        const beganAt = cycleAt + begins / this.#speed
        const endsAt = cycleAt + ends / this.#speed
        if (beganAt <= until && endsAt > from) {
          found.push({ provider, behaviour, what, beganAt, endsAt })
        }
      }
    }
    return found.sort((a, b) => a.beganAt - b.beganAt)
  }

  behaviourOf(provider: string, at: number): Behaviour {
    return this.incidents(at).find(one => one.provider === provider)?.behaviour ?? 'inbox'
  }

  /** When something next begins or ends after this time; undefined where nothing ever does. */
  nextChange(after: number): number | undefined {
    const origin = this.#startedAt + this.#healthyStart
    if (!Number.isFinite(origin) || this.#incidents.length === 0) return undefined
    const until = Math.max(after, origin) + 2 * this.#cycle
    const times = this.between(after, until)
      .flatMap(({ beganAt, endsAt }) => [beganAt, endsAt])
      .filter(time => time > after)
    return times.length === 0 ? undefined : Math.min(...times)
  }
}
