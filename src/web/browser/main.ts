import { Charts } from './charts.ts'
import { openDetails } from './details.ts'
import { bodyOf, byId, el, fill, say } from './dom.ts'
import { headOf, matrixRows } from './matrix.ts'
import { RANGES, VERDICTS, type RangeName, type Status } from './status-data.ts'
import { arrivalRows, canaryRows, realRows, seedRows } from './tables.ts'
import { headlineOf, RANGE_WORDS, VERDICT_WORDS } from './words.ts'

const POLL = 5_000
const PATIENCE = 20_000
// What fits on a screen; the rest is a press away.
const SHORT = 12

const charts = new Charts()
let range: RangeName = rangeOf(location.hash.slice(1))
let last: Status | undefined
let all = false
let asking: AbortController | undefined

function rangeOf(text: string): RangeName {
  return RANGES.find(name => name === text) ?? '24h'
}

const timeFormat = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const secondFormat = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' })
const dayFormat = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })

/** A moment beside today's others: the day only where it is another. */
function clock(at: number): string {
  const day = dayFormat.format(at)
  const time = timeFormat.format(at)
  return day === dayFormat.format(Date.now()) ? time : `${day}, ${time}`
}

function stepLabel(at: number): string {
  if (range === '30d') return dayFormat.format(at)
  return range === '7d'
    ? `${dayFormat.format(at)}, ${timeFormat.format(at)}`
    : timeFormat.format(at)
}

/** Asks, shows, and asks again a while later; a change of the range does not wait for that. */
async function poll(): Promise<void> {
  asking?.abort()
  const mine = new AbortController()
  asking = mine
  while (!mine.signal.aborted) {
    await ask(mine.signal)
    await pause(POLL, mine.signal)
  }
}

async function ask(signal: AbortSignal): Promise<void> {
  try {
    const both = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)])
    const answer = await fetch(`/api/status?range=${range}`, { signal: both })
    if (!answer.ok) throw new Error(`answered ${answer.status}`)
    const status = (await answer.json()) as Status
    if (signal.aborted) return
    last = status
    byId('notice').hidden = true
    show(status)
  } catch {
    if (!signal.aborted) showAway()
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, milliseconds)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** Old numbers stay, with their age: an empty page would hide the last that was known. */
function showAway(): void {
  const notice = byId('notice')
  const since = last ? ` The numbers below are of ${secondFormat.format(last.at)}.` : ''
  say(notice, `mailcanary does not answer; trying again.${since}`)
  notice.hidden = false
  if (!last) say(byId('headline'), 'Nothing can be shown')
}

function show(status: Status): void {
  const { title, lead } = headlineOf(status)
  if (byId('headline').textContent !== title) say(byId('announce'), title)
  say(byId('headline'), title)
  say(byId('summary'), lead)
  showBlind(status)

  const any = status.canaries.length > 0
  byId('empty').hidden = any
  byId('data').hidden = !any
  byId('last').hidden = !any
  const { cells, origins, providers, seeds } = status
  const head = byId('matrix').querySelector('thead')
  if (head) fill(head, providers, () => headOf(status))
  fill(bodyOf('matrix'), [cells, origins, providers, seeds.map(seed => seed.state)], () =>
    matrixRows(status),
  )
  fill(bodyOf('arrival-table'), status.arrival, () => arrivalRows(status.arrival))
  fill(bodyOf('real'), status.real.providers, () => realRows(status.real.providers))
  fill(bodyOf('seeds'), status.seeds, () => seedRows(status.seeds, clock))
  showCanaries(status)
  showReal(status)
  const arrived = status.arrival.some(series => series.all.n > 0)
  byId('arrival-times').hidden = !arrived
  if (any) {
    charts.placement(byId('placement'), status, stepLabel)
  }
  if (arrived) charts.arrival(byId('arrival') as HTMLCanvasElement, status, stepLabel)
  say(byId('updated'), `Updated ${secondFormat.format(status.at)}, version ${status.version}`)
}

function showCanaries({ canaries }: Status): void {
  const some = all ? canaries : canaries.slice(0, SHORT)
  fill(bodyOf('canaries'), some, () =>
    canaryRows(some, clock, id => void openDetails(id, at => secondFormat.format(at))),
  )
  const more = byId('more')
  more.hidden = canaries.length <= SHORT
  say(more, all ? 'Show fewer' : `Show all ${canaries.length}`)
}

function showBlind(status: Status): void {
  const list = byId('blind')
  const blind = status.seeds.filter(seed => seed.state === 'blind')
  list.hidden = blind.length === 0
  fill(list, blind, () =>
    blind.map(seed =>
      el(
        'li',
        {},
        el('strong', {}, seed.seed),
        ` cannot be read (${seed.blindness || 'unreadable'}): canaries to it are unknown, not lost.`,
      ),
    ),
  )
}

function showReal({ real, steps }: Status): void {
  const [first = 0] = steps
  const whole = real.since <= first
  const since = whole ? RANGE_WORDS[range] : `since ${clock(real.since)}, when counting began`
  say(byId('real-since'), `Everything the relay sent ${since}, canaries among it.`)
  byId('real').hidden = real.providers.length === 0
  byId('real-none').hidden = real.providers.length > 0
}

function showRanges(): void {
  for (const name of RANGES) {
    const input = el('input', { type: 'radio', name: 'range', value: name })
    input.checked = name === range
    input.addEventListener('change', () => {
      range = name
      history.replaceState(null, '', `#${name}`)
      void poll()
    })
    byId('ranges').append(el('label', {}, input, el('span', {}, name)))
  }
}

function showLegend(): void {
  byId('legend').append(
    ...VERDICTS.map(verdict => el('li', { class: verdict }, VERDICT_WORDS[verdict])),
  )
}

byId('close').addEventListener('click', () => (byId('details') as HTMLDialogElement).close())
showRanges()
showLegend()
byId('more').addEventListener('click', () => {
  all = !all
  if (last) showCanaries(last)
})
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  charts.forget()
  if (last) show(last)
})
// Nobody looks at a hidden tab: it need not ask, and is right at once when it is seen again.
document.addEventListener('visibilitychange', () => {
  if (document.hidden) asking?.abort()
  else void poll()
})
void poll()
