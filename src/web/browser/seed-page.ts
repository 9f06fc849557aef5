import { questionInAddress, rangeInAddress } from './address.ts'
import { CanaryListing } from './canary-list.ts'
import { Charts } from './charts.ts'
import { byId, el, fill, say } from './dom.ts'
import { Follower } from './follow.ts'
import { cellContent, chip } from './matrix.ts'
import { showRanges } from './range-picker.ts'
import { VERDICTS, type SeedReport } from './status-data.ts'
import { exactClock, stepLabel } from './times.ts'
import { ageOf, RANGE_WORDS, seedHealth, took, VERDICT_WORDS } from './words.ts'

const seed = decodeURIComponent(location.pathname.split('/').at(-1) ?? '')
const charts = new Charts()
const list = new CanaryListing({ ...questionInAddress(), seed: '' }, { fixedSeed: seed })
let last: SeedReport | undefined

async function ask(): Promise<void> {
  try {
    const range = rangeInAddress()
    const answer = await fetch(`/api/seeds/${encodeURIComponent(seed)}?range=${range}`)
    if (answer.status === 404) return showNone()
    if (!answer.ok) throw new Error(`answered ${answer.status}`)
    const report = (await answer.json()) as SeedReport
    if (report.range === rangeInAddress()) show(report)
  } catch {
    showAway()
  }
}

function showNone(): void {
  say(byId('headline'), 'There is no such seed')
  say(byId('summary'), `probes.yaml names none that is called ${seed.slice(0, 60)}.`)
  byId('data').hidden = true
}

function showAway(): void {
  const notice = byId('notice')
  const since = last ? ` The numbers below are of ${exactClock(last.at)}.` : ''
  say(notice, `mailcanary does not answer; trying again.${since}`)
  notice.hidden = false
}

function show(report: SeedReport): void {
  last = report
  const { state, cells, range, arrival } = report
  byId('notice').hidden = true
  document.title = `${state.seed} – mailcanary`
  say(byId('headline'), state.seed)
  fill(byId('summary'), state, () => {
    const { tone, word } = seedHealth(state)
    const looked = state.lookedAt === 0 ? '' : `last look ${exactClock(state.lookedAt)}`
    const said = [state.blindness, state.detail].filter(text => text !== '').join(': ')
    const age = state.createdAt === undefined ? '' : `${ageOf(state.createdAt, report.at)} old`
    const words = [`an account at ${state.provider}`, age, looked, said].filter(text => text !== '')
    return [chip(tone, word), document.createTextNode(` ${words.join('; ')}`)]
  })
  say(byId('cells-range'), `Canaries to this seed ${RANGE_WORDS[range]}, by where they were sent.`)
  fill(byId('cells'), [cells, state.state, range], () =>
    cells.map(cell =>
      el(
        'section',
        { class: 'card cell', 'aria-label': `From ${cell.origin}` },
        el('h3', {}, el('span', { class: 'quiet' }, 'From '), cell.origin),
        ...cellContent(cell, state.state === 'blind', range),
      ),
    ),
  )
  const judged = cells.some(({ counts }) => VERDICTS.some(verdict => counts[verdict] > 0))
  byId('placement-section').hidden = !judged
  if (judged) charts.placement(byId('placement'), report, stepLabel(range))
  byId('arrival-times').hidden = arrival.all.n === 0
  if (arrival.all.n > 0) {
    const { p50 = 0, p90 = 0, n } = arrival.all
    say(
      byId('arrival-words'),
      `Half within ${took(p50)}, nine of ten within ${took(p90)}, of ${n}.`,
    )
    const series = { steps: report.steps, arrival: [arrival] }
    charts.arrival(byId('arrival') as HTMLCanvasElement, series, stepLabel(range))
  }
  byId('data').hidden = false
  void list.show(
    { origins: cells.map(({ origin }) => origin), providers: [], seeds: [] },
    report.steps[0] ?? 0,
  )
  say(byId('updated'), `Updated ${exactClock(report.at)}`)
}

byId('legend').append(
  ...VERDICTS.map(verdict => el('li', { class: verdict }, VERDICT_WORDS[verdict])),
)
byId('cells').addEventListener('click', event => {
  const link = (event.target as Element).closest<HTMLAnchorElement>('a[data-origin]')
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return
  event.preventDefault()
  const { origin = '', verdict = '' } = link.dataset
  void list.ask({ origin, provider: '', seed: '', verdict })
  byId('last-title').focus()
})
const follower = new Follower({ status: () => void ask(), away: showAway })
follower.follow(rangeInAddress())
showRanges(range => {
  follower.follow(range)
  void ask()
})
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  charts.forget()
  if (last) show(last)
})
