import { questionInAddress, rangeInAddress } from './address.ts'
import { CanaryListing } from './canary-list.ts'
import { Charts } from './charts.ts'
import { bodyOf, byId, el, fill, say } from './dom.ts'
import { Follower } from './follow.ts'
import { headOf, matrixRows } from './matrix.ts'
import { showRanges } from './range-picker.ts'
import { VERDICTS, type Status } from './status-data.ts'
import { arrivalRows, realRows, seedRows } from './tables.ts'
import { clock, exactClock, stepLabel } from './times.ts'
import { headlineOf, RANGE_WORDS, VERDICT_WORDS } from './words.ts'

const charts = new Charts()
let list: CanaryListing | undefined
let last: Status | undefined
let everySeed = false

/** So many lines at the top name a mailbox each; more are counted. */
const MOST_NOTES = 3

/** Old numbers stay, with their age: an empty page would hide the last that was known. */
function showAway(): void {
  const notice = byId('notice')
  const since = last ? ` The numbers below are of ${exactClock(last.at)}.` : ''
  say(notice, `mailcanary does not answer; trying again.${since}`)
  notice.hidden = false
  if (!last) say(byId('headline'), 'Nothing can be shown')
}

function show(status: Status): void {
  // An answer to a question that is not asked any more.
  if (status.range !== rangeInAddress()) return
  last = status
  byId('notice').hidden = true
  const { title, lead } = headlineOf(status)
  if (byId('headline').textContent !== title) say(byId('announce'), title)
  say(byId('headline'), title)
  say(byId('summary'), lead)
  showBlind(status)
  for (const id of ['data', 'last']) byId(id).hidden = !status.any
  byId('empty').hidden = status.any
  if (status.any) showNumbers(status)
  say(byId('updated'), `Updated ${exactClock(status.at)}`)
  say(byId('version'), status.version === '' ? '' : `Version ${status.version}`)
}

function showNumbers(status: Status): void {
  const { cells, origins, providers, seeds, steps, range } = status
  const head = byId('matrix').querySelector('thead')
  if (head) fill(head, providers, () => headOf(status))
  byId('matrix').style.setProperty('--providers', String(providers.length))
  const states = seeds.map(seed => seed.state)
  fill(bodyOf('matrix'), [cells, origins, providers, states, range], () => matrixRows(status))
  fill(bodyOf('arrival-table'), status.arrival, () => arrivalRows(status.arrival))
  showSeeds(status)
  byId('matrix-csv').setAttribute('href', `/api/status.csv?range=${range}`)
  byId('matrix-json').setAttribute('href', `/api/status?range=${range}`)

  const judged = status.placement.some(({ steps }) =>
    steps.some(step => VERDICTS.some(verdict => step[verdict] > 0)),
  )
  byId('placement-section').hidden = !judged
  if (judged) charts.placement(byId('placement'), status, stepLabel(range))
  const arrived = status.arrival.some(series => series.all.n > 0)
  byId('arrival-times').hidden = !arrived
  if (arrived) charts.arrival(byId('arrival') as HTMLCanvasElement, status, stepLabel(range))
  showReal(status)

  list ??= new CanaryListing(questionInAddress(), { isPublic: status.public })
  const names = status.public ? [] : seeds.map(({ seed }) => seed)
  byId('filter-seed').parentElement?.toggleAttribute('hidden', names.length === 0)
  void list.show({ origins, providers, seeds: names }, steps[0] ?? 0)
}

function showBlind({ seeds, public: isPublic, range }: Status): void {
  const notes = byId('blind')
  const blind = seeds.filter(seed => seed.state === 'blind')
  notes.hidden = blind.length === 0
  fill(notes, [blind, range, seeds.length], () => {
    if (blind.length > MOST_NOTES) {
      const mailboxes = `${blind.length} of ${seeds.length} mailboxes`
      const link = el('a', { href: '#seeds-title' }, mailboxes)
      return [el('li', {}, link, ' cannot be read: canaries to them are unknown, not lost.')]
    }
    return blind.map(({ seed, blindness }) =>
      el(
        'li',
        {},
        isPublic
          ? el('strong', {}, seed)
          : el('a', { href: `/seeds/${encodeURIComponent(seed)}?range=${range}` }, seed),
        ` cannot be read (${blindness || 'unreadable'}): canaries to it are unknown, not lost.`,
      ),
    )
  })
}

function showSeeds(status: Status): void {
  const { seeds, range } = status
  const rows = seedRows(status, everySeed, clock)
  fill(bodyOf('seeds'), [seeds, range, everySeed], () => rows)
  const button = byId('all-seeds')
  button.hidden = rows.length === seeds.length
  say(button, `Show all ${seeds.length}`)
}

function showReal({ real, steps, range, public: isPublic }: Status): void {
  byId('real-section').hidden = isPublic
  const { providers } = real
  const [first = 0] = steps
  const whole = real.since <= first
  const since = whole ? RANGE_WORDS[range] : `since ${clock(real.since)}, when counting began`
  say(byId('real-since'), `Everything the relay sent ${since}, canaries among it.`)
  fill(bodyOf('real'), providers, () => realRows(providers))
  byId('real').hidden = providers.length === 0
  byId('real-none').hidden = providers.length > 0
}

/** A number of the matrix leads to the canaries that it is made of. */
function showTheirCanaries(event: MouseEvent): void {
  const link = (event.target as Element).closest<HTMLAnchorElement>('a[data-origin]')
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || !list) return
  event.preventDefault()
  const { origin = '', provider = '', verdict = '' } = link.dataset
  void list.ask({ origin, provider, seed: '', verdict })
  const title = byId('last-title')
  title.scrollIntoView({ block: 'start' })
  title.focus({ preventScroll: true })
}

byId('legend').append(
  ...VERDICTS.map(verdict => el('li', { class: verdict }, VERDICT_WORDS[verdict])),
)
byId('matrix').addEventListener('click', showTheirCanaries)
byId('all-seeds').addEventListener('click', () => {
  everySeed = true
  if (last) showSeeds(last)
  // The button goes, and the keyboard is not to be left nowhere.
  byId('seeds-title').focus({ preventScroll: true })
})
const follower = new Follower({ status: show, away: showAway })
follower.follow(rangeInAddress())
showRanges(range => follower.follow(range))
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  charts.forget()
  if (last) show(last)
})
