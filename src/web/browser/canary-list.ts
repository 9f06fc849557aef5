import { putInAddress, queryOf } from './address.ts'
import { bodyOf, byId, el, fill, say } from './dom.ts'
import type { CanaryList, CanaryQuestion } from './status-data.ts'
import { VERDICTS } from './status-data.ts'
import { canaryRows } from './tables.ts'
import { clock } from './times.ts'
import { many, VERDICT_WORDS } from './words.ts'

const FIRST = 25
const MORE = 75
/** The most that a page shows; the rest is in the export. */
const MOST = 475

interface Choices {
  readonly origins: readonly string[]
  readonly providers: readonly string[]
  readonly seeds: readonly string[]
}

/** The list of canaries with its filters. */
export class CanaryListing {
  #question: CanaryQuestion
  #since = 0
  #limit = FIRST
  #asking: AbortController | undefined
  readonly #fixedSeed: string
  readonly #public: boolean

  /** @param fixedSeed the seed that the page is about, or '' */
  constructor(question: CanaryQuestion, options: { fixedSeed?: string; isPublic?: boolean } = {}) {
    this.#question = question
    this.#fixedSeed = options.fixedSeed ?? ''
    this.#public = options.isPublic ?? false
    for (const name of ['origin', 'provider', 'seed', 'verdict'] as const) {
      selectOf(name)?.addEventListener('change', event => {
        const { value } = event.currentTarget as HTMLSelectElement
        void this.ask({ ...this.#question, [name]: value })
      })
    }
    byId('clear').addEventListener('click', () => {
      void this.ask({ origin: '', provider: '', seed: '', verdict: '' })
      selectOf('verdict')?.focus()
    })
    byId('more').addEventListener('click', () => {
      this.#limit = Math.min(MOST, this.#limit + MORE)
      void this.refresh()
    })
  }

  /** What can be chosen, and from when on is listed. */
  async show(choices: Choices, since: number): Promise<void> {
    this.#since = since
    const verdicts = VERDICTS.map(verdict => [verdict, VERDICT_WORDS[verdict]] as const)
    fillSelect('origin', this.#question.origin, named(choices.origins))
    fillSelect('provider', this.#question.provider, named(choices.providers))
    fillSelect('seed', this.#question.seed, named(choices.seeds))
    fillSelect('verdict', this.#question.verdict, verdicts)
    await this.refresh()
  }

  /** Lists by another question, and writes it into the address. */
  async ask(question: CanaryQuestion): Promise<void> {
    this.#question = question
    this.#limit = FIRST
    putInAddress({ ...question })
    for (const name of ['origin', 'provider', 'seed', 'verdict'] as const) {
      const select = selectOf(name)
      if (select) select.value = question[name]
    }
    const found = await this.refresh()
    if (found !== undefined) say(byId('announce'), `${many(found, 'canary', 'canaries')} listed`)
  }

  /** @returns how many are listed; undefined where another question came in between, or nobody answered */
  async refresh(): Promise<number | undefined> {
    this.#asking?.abort()
    const { signal } = (this.#asking = new AbortController())
    const filter = {
      ...this.#question,
      ...(this.#fixedSeed !== '' && { seed: this.#fixedSeed }),
      since: String(this.#since),
    }
    for (const kind of ['csv', 'json']) {
      byId(`canaries-${kind}`).setAttribute('href', `/api/canaries.${kind}${queryOf(filter)}`)
    }
    try {
      const query = queryOf({ ...filter, limit: String(this.#limit) })
      const answer = await fetch(`/api/canaries${query}`, { signal })
      if (!answer.ok) return undefined
      const list = (await answer.json()) as CanaryList
      if (signal.aborted) return undefined
      this.#fill(list)
      return list.canaries.length
    } catch {
      // The page says already that nobody answers.
      return undefined
    }
  }

  #fill({ canaries, older }: CanaryList): void {
    fill(bodyOf('canaries'), canaries, () => canaryRows(canaries, clock, this.#public))
    const filtered = Object.values(this.#question).some(value => value !== '')
    byId('clear').hidden = !filtered
    byId('canaries').hidden = canaries.length === 0
    byId('canaries-none').hidden = canaries.length > 0
    say(
      byId('canaries-none'),
      filtered
        ? 'No canary of this time fits these filters.'
        : 'No canary was sent in this time. Pick a longer one above.',
    )
    const more = byId('more')
    const ended = older === undefined
    more.hidden = ended || this.#limit >= MOST
    say(
      byId('listed'),
      ended
        ? many(canaries.length, 'canary', 'canaries')
        : `The newest ${canaries.length}${this.#limit >= MOST ? '; the rest is in the export' : ''}`,
    )
  }
}

function selectOf(name: string): HTMLSelectElement | null {
  return document.querySelector<HTMLSelectElement>(`#filter-${name}`)
}

function named(names: readonly string[]): readonly (readonly [string, string])[] {
  return names.map(name => [name, name])
}

/** @param value stays chosen, also where nothing has this name any more */
function fillSelect(
  name: string,
  value: string,
  choices: readonly (readonly [value: string, word: string])[],
): void {
  const select = selectOf(name)
  if (!select) return
  const known = value === '' || choices.some(([choice]) => choice === value)
  const all = [['', 'any'] as const, ...choices, ...(known ? [] : [[value, value] as const])]
  fill(select, all, () => all.map(([choice, word]) => el('option', { value: choice }, word)))
  select.value = value
}
