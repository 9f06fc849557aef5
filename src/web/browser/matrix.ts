import { cell, el, rowOf } from './dom.ts'
import { VERDICTS, type Cell, type Status, type VerdictCounts } from './status-data.ts'
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
        return cell(provider, {}, ...(found ? contentOf(found, blind.has(provider)) : []))
      }),
    ),
  )
}

function contentOf(of: Cell, blind: boolean): readonly Node[] {
  const health = blind ? BLIND : healthOf(of)
  const { inbox, counts } = of
  if (inbox.n === 0) {
    return [block('share none', '–'), ...footOf(health, counts)]
  }
  return [
    el(
      'p',
      { class: 'share' },
      el('strong', {}, percent(inbox.hits / inbox.n)),
      el('span', { class: 'quiet' }, ` ${inbox.hits} of ${inbox.n}`),
    ),
    barOf(counts),
    el('p', { class: 'quiet small' }, `95 %: ${intervalOf(inbox)}`),
    ...footOf(health, counts, of.late),
  ]
}

function footOf(health: Health, counts: VerdictCounts, late = 0): readonly Node[] {
  const others = VERDICTS.filter(verdict => verdict !== 'inbox' && counts[verdict] > 0)
  const words = others.map(verdict => {
    const came = verdict === 'missing' && late > 0 ? ` (${late} came late)` : ''
    return el('li', { class: verdict }, `${counts[verdict]} ${VERDICT_WORDS[verdict]}${came}`)
  })
  return [chip(health.tone, health.word), el('ul', { class: 'parts' }, ...words)]
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

function block(className: string, text: string): HTMLElement {
  return el('p', { class: className }, text)
}
