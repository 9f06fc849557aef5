import { MINUTE, SECOND, type Random } from '../../base/clock.ts'
import type { Finding } from '../../base/finding.ts'
import type { Part } from '../../base/lifecycle.ts'
import { Periodic } from '../../base/periodic.ts'
import { checkSelf, type SelfCheckOptions, type SelfReport } from './self-check.ts'

export interface SelfCheckerOptions extends SelfCheckOptions {
  /** Milliseconds between two looks. */
  readonly every: number
  /** @param news what is bad and was not at the look before */
  readonly report: (report: SelfReport, news: readonly Finding[]) => void
  readonly failed: (error: unknown) => void
  readonly random: Random
  /** Milliseconds before the first look; a minute, and up to another by chance, unless told. */
  readonly firstAfter?: number
}

/** Looks at this server from time to time while it runs. */
export class SelfChecker implements Part {
  readonly name = 'checks'
  readonly #firstAfter: number
  readonly #looking: Periodic
  readonly #stop = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #bad: ReadonlySet<string> = new Set()

  constructor(options: SelfCheckerOptions) {
    // Not at once: nodes that start together are not to ask together, and who restarts ten times asks nobody.
    this.#firstAfter = options.firstAfter ?? MINUTE + Math.round(options.random() * 60) * SECOND
    this.#looking = new Periodic({
      name: this.name,
      every: options.every,
      run: async () => {
        const report = await checkSelf(options, this.#stop.signal)
        // What was cut off by our own stop says nothing.
        if (!this.#stop.signal.aborted) options.report(report, this.#news(report))
      },
      failed: options.failed,
    })
  }

  start(): Promise<void> {
    this.#timer = setTimeout(() => void this.#looking.start(), this.#firstAfter)
    return Promise.resolve()
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer)
    this.#stop.abort()
    await this.#looking.stop()
  }

  #news({ findings }: SelfReport): readonly Finding[] {
    const bad = findings.filter(({ state }) => state === 'bad')
    const news = bad.filter(finding => !this.#bad.has(nameOf(finding)))
    this.#bad = new Set(bad.map(nameOf))
    return news
  }
}

function nameOf({ check, about }: Finding): string {
  return `${check} ${about}`
}
