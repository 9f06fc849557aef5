import type { Clock } from '../base/clock.ts'
import type { Part } from '../base/lifecycle.ts'
import type { Behaviour } from './behaviour.ts'
import type { Occurrence, Script } from './script.ts'

/** Something has begun or ceased to go wrong in the demo's world. */
export interface IncidentEvent {
  readonly kind: 'incident-began' | 'incident-ended'
  readonly provider: string
  readonly what: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

export interface DirectorOptions {
  readonly script: Script
  readonly clock: Clock
  readonly report: (event: IncidentEvent) => void
  /** Who plays, by the names of the script. */
  readonly actors: ReadonlyMap<string, (behaviour: Behaviour) => void>
}

// A clock that was set, or a machine that slept, is noticed within this time.
const LONGEST_SLEEP = 5_000

/** Tells the actors of the script what to do, and the audience what is going on. */
export class Director implements Part {
  readonly name = 'script'
  readonly script: Script
  readonly #options: DirectorOptions
  readonly #overruled = new Set<string>()
  #current: readonly Occurrence[] = []
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(options: DirectorOptions) {
    this.#options = options
    this.script = options.script
  }

  start(): Promise<void> {
    this.#play()
    return Promise.resolve()
  }

  stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    return Promise.resolve()
  }

  /** From now on this one does as told, whatever the script says. */
  overrule(name: string, behaviour: Behaviour): void {
    const act = this.#options.actors.get(name)
    if (!act) throw new Error(`nobody in the demo is called ${name}`)
    this.#overruled.add(name)
    act(behaviour)
  }

  #play(): void {
    if (this.#stopped) return
    const { clock, actors } = this.#options
    const now = clock()
    const before = this.#current
    this.#current = this.script
      .incidents(now)
      .filter(occurrence => !this.#overruled.has(occurrence.provider))
    for (const [name, act] of actors) {
      const was = behaviourIn(before, name)
      const is = behaviourIn(this.#current, name)
      if (was !== is && !this.#overruled.has(name)) act(is)
    }
    this.#tell('incident-ended', before, this.#current, now)
    this.#tell('incident-began', this.#current, before, now)
    const next = this.script.nextChange(now)
    if (next === undefined) return
    const wait = Math.min(Math.max(next - now, 1), LONGEST_SLEEP)
    this.#timer = setTimeout(() => this.#play(), wait)
  }

  #tell(
    kind: IncidentEvent['kind'],
    these: readonly Occurrence[],
    without: readonly Occurrence[],
    at: number,
  ): void {
    const known = new Set(without.map(keyOf))
    for (const occurrence of these) {
      if (known.has(keyOf(occurrence))) continue
      this.#options.report({ kind, provider: occurrence.provider, what: occurrence.what, at })
    }
  }
}

function behaviourIn(occurrences: readonly Occurrence[], name: string): Behaviour {
  return occurrences.find(occurrence => occurrence.provider === name)?.behaviour ?? 'inbox'
}

function keyOf(occurrence: Occurrence): string {
  return `${occurrence.provider} ${occurrence.beganAt}`
}
