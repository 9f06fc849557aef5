import { queryOf } from './address.ts'
import { cell, el, rowOf } from './dom.ts'
import {
  VERDICTS,
  type Cell,
  type RangeName,
  type Status,
  type VerdictCounts,
} from './status-data.ts'
import {
  blindProviders,
  healthOf,
  intervalOf,
  percent,
  VERDICT_WORDS,
  type Health,
} from './words.ts'

// What was seen before is shown, and not called well: nobody knows how it is now.
const BLIND: Health = { tone: 'none', word: 'cannot be seen now' }

/** A word in a box, with a sign beside its colour. */
export function chip(tone: string, word: string): HTMLElement {
  return el('span', { class: `chip ${tone}` }, word)
}

export function headOf(status: Status): readonly Node[] {
  return [
    el(
      'tr',
      { role: 'row' },
      el('th', { scope: 'col', role: 'columnheader' }, 'From'),
      ...status.providers.map(provider =>
        el('th', { scope: 'col', role: 'columnheader' }, provider),
      ),
    ),
  ]
}

export function matrixRows(status: Status): readonly Node[] {
  const blind = blindProviders(status.seeds)
  return status.origins.map(origin =>
    rowOf(
      el('th', { scope: 'row', role: 'rowheader' }, origin),
      ...status.providers.map(provider => {
        const found = status.cells.find(one => one.origin === origin && one.provider === provider)
        const content = found ? cellContent(found, blind.has(provider), status.range) : []
        return cell(provider, {}, ...content)
      }),
    ),
  )
}

/** The share that reached the inbox, and everything that is needed to believe it. */
export function cellContent(of: Cell, blind: boolean, range: RangeName): readonly Node[] {
  const health = blind ? BLIND : healthOf(of)
  const { inbox, counts } = of
  const word = el('p', {}, chip(health.tone, health.word))
  if (inbox.n === 0) return [el('p', { class: 'share none' }, '–'), word, partsOf(of, range)]
  return [
    el(
      'p',
      { class: 'share' },
      el('strong', {}, percent(inbox.hits / inbox.n)),
      el('span', { class: 'quiet' }, ` ${inbox.hits} of ${inbox.n}`),
    ),
    barOf(counts),
    el('p', { class: 'quiet small' }, `${intervalOf(inbox)} with 95 % confidence`),
    word,
    partsOf(of, range),
  ]
}

/** What did not reach the inbox, each leading to the canaries it was counted from. */
function partsOf({ origin, provider, counts, late }: Cell, range: RangeName): HTMLElement {
  const others = VERDICTS.filter(verdict => verdict !== 'inbox' && counts[verdict] > 0)
  return el(
    'ul',
    { class: 'parts' },
    ...others.map(verdict =>
      el(
        'li',
        { class: verdict },
        el(
          'a',
          {
            href: `/${queryOf({ range, origin, provider, verdict })}#last`,
            'data-origin': origin,
            'data-provider': provider,
            'data-verdict': verdict,
          },
          `${counts[verdict]} ${VERDICT_WORDS[verdict]}`,
        ),
        verdict === 'missing' && late > 0 ? ` (${late} came late)` : undefined,
      ),
    ),
  )
}

/** The verdicts side by side; the numbers beneath say the same, so it is nothing to be read out. */
function barOf(counts: VerdictCounts): HTMLElement {
  const bar = el('div', { class: 'bar', 'aria-hidden': 'true' })
  for (const verdict of VERDICTS) {
    if (counts[verdict] === 0) continue
    const part = el('span', { class: verdict })
    part.style.flexGrow = String(counts[verdict])
    bar.append(part)
  }
  return bar
}
