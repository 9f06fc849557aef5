import { cell, el, rowOf } from './dom.ts'
import { chip } from './matrix.ts'
import type { ArrivalSeries, CanarySummary, RealMail, Status } from './status-data.ts'
import {
  ageOf,
  intervalOf,
  percentOf,
  seedHealth,
  stageWords,
  took,
  VERDICT_WORDS,
} from './words.ts'

export function arrivalRows(arrival: readonly ArrivalSeries[]): readonly Node[] {
  return arrival.flatMap(({ provider, all }, index) =>
    all.n === 0
      ? []
      : rowOf(
          el(
            'th',
            { scope: 'row', role: 'rowheader', class: `line line-${(index % 6) + 1}` },
            provider,
          ),
          cell('Half within', { class: 'number' }, all.p50 === undefined ? '–' : took(all.p50)),
          cell('9 of 10 within', { class: 'number' }, all.p90 === undefined ? '–' : took(all.p90)),
          cell('Canaries', { class: 'number' }, String(all.n)),
        ),
  )
}

export function realRows(real: readonly RealMail[]): readonly Node[] {
  return real.map(mail => {
    const { rate } = mail
    const reasons = Object.entries(mail.reasons).toSorted(([, a], [, b]) => b - a)
    return rowOf(
      el('th', { scope: 'row', role: 'rowheader' }, mail.provider),
      cell(
        'Taken',
        {},
        el(
          'span',
          {},
          el('strong', {}, percentOf(rate)),
          el('span', { class: 'quiet' }, ` ${rate.hits} of ${rate.n}, ${intervalOf(rate)}`),
        ),
      ),
      cell('Refused', { class: 'number' }, String(mail.bounced)),
      cell('Put off', { class: 'number' }, times(mail.deferrals)),
      cell('Why', {}, reasons.map(([reason, count]) => `${reason} ${count}`).join(', ') || '–'),
    )
  })
}

/** As many seeds as a list of them shows by itself. */
const FEW_SEEDS = 12

/** Seeds that cannot be read first. @param all or only the first of them */
export function seedRows(status: Status, all: boolean, clock: (at: number) => string): Node[] {
  const troubled = status.seeds.filter(({ state }) => state !== 'reading')
  const well = status.seeds.filter(({ state }) => state === 'reading')
  const seeds = [...troubled, ...well]
  return (all ? seeds : seeds.slice(0, FEW_SEEDS)).map(seed => {
    const { tone, word } = seedHealth(seed)
    const said = [seed.blindness, seed.detail].filter(text => text !== '').join(': ')
    const href = `/seeds/${encodeURIComponent(seed.seed)}?range=${status.range}`
    return rowOf(
      el(
        'th',
        { scope: 'row', role: 'rowheader' },
        status.public ? seed.seed : el('a', { href }, seed.seed),
      ),
      cell('Provider', {}, seed.provider),
      cell('Age', {}, seed.createdAt === undefined ? '–' : ageOf(seed.createdAt, status.at)),
      cell('State', {}, chip(tone, word)),
      cell('Last look', {}, seed.lookedAt === 0 ? 'never' : clock(seed.lookedAt)),
      cell('Said', { class: 'said' }, said || '–'),
    )
  })
}

export function canaryRows(
  canaries: readonly CanarySummary[],
  clock: (at: number) => string,
  isPublic: boolean,
): readonly Node[] {
  return canaries.map(canary =>
    rowOf(
      cell('Sent', { class: 'when' }, timeOf(canary.at, clock)),
      cell('Canary', { class: 'route' }, isPublic ? routeOf(canary) : linkTo(canary)),
      cell('Verdict', { class: 'verdict' }, chip(canary.verdict, VERDICT_WORDS[canary.verdict])),
      cell('Took', { class: 'number' }, canary.seconds === undefined ? '' : took(canary.seconds)),
      cell('How far', { class: 'said' }, storyOf(canary)),
    ),
  )
}

function linkTo(canary: CanarySummary): HTMLElement {
  return el('a', { href: `/canaries/${encodeURIComponent(canary.id)}` }, routeOf(canary))
}

function routeOf({ origin, seed }: CanarySummary): HTMLElement {
  return el('span', {}, origin, el('span', { class: 'quiet' }, ' to '), seed)
}

/** How far it came that did not arrive, and what was said. */
export function storyOf(canary: CanarySummary): string {
  return [
    canary.stage === '' ? '' : stageWords(canary.stage),
    canary.detail,
    canary.late ? 'came after the deadline' : '',
  ]
    .filter(part => part !== '')
    .join('; ')
}

function timeOf(at: number, clock: (at: number) => string): HTMLElement {
  return el('time', { datetime: new Date(at).toISOString() }, clock(at))
}

function times(count: number): string {
  return count === 0 ? '0' : `${count} ×`
}
