import { startInOrder, type Part } from '../base/lifecycle.ts'
import { messageOf } from '../base/problem.ts'
import type { LoadedProbes } from '../config/load-probes.ts'
import type { Detector } from '../probe/detector.ts'
import type { ReportProbeEvent } from '../probe/events.ts'
import type { HistoryStore } from '../probe/history.ts'
import type { Prober } from '../probe/prober.ts'
import { openMemory, type ProberMemory } from './prober-memory.ts'
import {
  createParts,
  type ProbeNames,
  type ProbingOptions,
  type ProbingParts,
} from './prober-parts.ts'
import type { Surroundings } from './surroundings.ts'

/** The prober of this process. Its parts can be replaced while it runs; the history stays open all the while. */
export class Probing implements Part {
  readonly name = 'prober'
  readonly #build: (loaded: LoadedProbes) => ProbingParts
  readonly #memory: ProberMemory
  #parts: ProbingParts
  #stop: (() => Promise<void>) | undefined
  #stopped = false
  #changing: Promise<unknown> = Promise.resolve()

  /** @throws Problem if the database or the file of the history cannot be used */
  static async open(
    loaded: LoadedProbes,
    surroundings: Surroundings,
    report: ReportProbeEvent,
    options: Pick<ProbingOptions, 'trace' | 'traceAt' | 'scheduled'>,
  ): Promise<Probing> {
    const memory = await openMemory(loaded.store, surroundings.folder)
    return new Probing(loaded, surroundings, { ...options, memory, report })
  }

  private constructor(loaded: LoadedProbes, surroundings: Surroundings, options: ProbingOptions) {
    this.#memory = options.memory
    this.#build = next => createParts(next, surroundings, options)
    this.#parts = this.#build(loaded)
  }

  get history(): HistoryStore {
    return this.#memory.history
  }

  get prober(): Prober {
    return this.#parts.prober
  }

  get detector(): Detector | undefined {
    return this.#parts.detector
  }

  get groups(): ReadonlyMap<string, readonly string[]> {
    return this.#parts.groups
  }

  get relaysElsewhere(): ProbingParts['relaysElsewhere'] {
    return this.#parts.relaysElsewhere
  }

  get names(): ProbeNames {
    return this.#parts.names
  }

  async start(): Promise<void> {
    this.#stop = await startInOrder(this.#parts.parts)
  }

  /**
   * Goes on with what another file says. Canaries on their way are followed to their verdicts; only whoever watches one
   * is told that the prober was stopped.
   *
   * @param renamed is told the new names while nothing of the old is left and nothing of the new has begun
   * @returns why the old parts go on: the new ones cannot be made; undefined once these run
   */
  replace(loaded: LoadedProbes, renamed: (names: ProbeNames) => void): Promise<string | undefined> {
    const change = this.#changing.then(async () => {
      let parts: ProbingParts
      try {
        parts = this.#build(loaded)
      } catch (error) {
        return messageOf(error)
      }
      // Its alarms are known before it is asked for them. What it cannot read now it reads later.
      await parts.detector?.refresh().catch(() => undefined)
      if (this.#stopped) return undefined
      await this.#stop?.()
      this.#parts = parts
      renamed(parts.names)
      await this.start()
      return undefined
    })
    this.#changing = change.catch(() => undefined)
    return change
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#changing
    await this.#stop?.()
    await this.history.close()
  }
}
