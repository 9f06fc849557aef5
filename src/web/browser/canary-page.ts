import { headerOf, hopRows, momentItems, verdictSentence } from './canary-story.ts'
import { bodyOf, byId, el, fill, say } from './dom.ts'
import { Follower } from './follow.ts'
import { chip } from './matrix.ts'
import type { CanaryDetails } from './status-data.ts'
import { exactClock, fullTime } from './times.ts'
import { ARRIVAL_SOURCE_WORDS, authTone, took, VERDICT_WORDS } from './words.ts'

const id = decodeURIComponent(location.pathname.split('/').at(-1) ?? '')

async function ask(): Promise<void> {
  try {
    const answer = await fetch(`/api/canaries/${encodeURIComponent(id)}`)
    if (answer.status === 404) return showProblem('There is no such canary', gone())
    if (!answer.ok) throw new Error(`answered ${answer.status}`)
    show((await answer.json()) as CanaryDetails)
  } catch {
    showAway()
  }
}

function gone(): string {
  return `None is called ${id.slice(0, 60)}. Canaries are forgotten after the time that retention.canaries names.`
}

function showProblem(title: string, lead: string): void {
  say(byId('headline'), title)
  say(byId('summary'), lead)
  byId('data').hidden = true
}

function showAway(): void {
  const notice = byId('notice')
  say(notice, 'mailcanary does not answer; trying again.')
  notice.hidden = false
}

function show(details: CanaryDetails): void {
  const { summary, sightings } = details
  const title = `From ${summary.origin} to ${summary.seed}`
  byId('notice').hidden = true
  byId('canary-json').setAttribute('href', `/api/canaries/${encodeURIComponent(id)}`)
  document.title = `${VERDICT_WORDS[summary.verdict]}: ${title} – mailcanary`
  say(byId('headline'), title)
  const sentence = verdictSentence(summary)
  fill(byId('summary'), sentence, () => [
    chip(summary.verdict, VERDICT_WORDS[summary.verdict]),
    document.createTextNode(` ${sentence}`),
  ])
  fill(byId('facts'), factsOf(details), () =>
    factsOf(details).map(([name, value, href]) =>
      el(
        'div',
        {},
        el('dt', {}, name),
        el('dd', {}, href === undefined ? value : el('a', { href }, value)),
      ),
    ),
  )
  fill(byId('moments'), details, () => momentItems(details, exactClock))
  const [first] = sightings
  byId('auth-section').hidden = first === undefined
  byId('hops-section').hidden = (first?.hops.length ?? 0) === 0
  byId('header-section').hidden = sightings.every(({ header }) => header === '')
  if (first) {
    fill(byId('auth'), first.auth, () =>
      (['spf', 'dkim', 'dmarc'] as const).map(check =>
        el(
          'li',
          {},
          el('span', { class: 'quiet' }, `${check.toUpperCase()} `),
          chip(authTone(first.auth[check]), first.auth[check]),
        ),
      ),
    )
    fill(bodyOf('hops'), first.hops, () => hopRows(first.hops, exactClock))
  }
  fill(byId('headers'), sightings, () => sightings.map(headerOf))
  byId('data').hidden = false
}

type Fact = readonly [name: string, value: string, href?: string]

function factsOf(details: CanaryDetails): Fact[] {
  const { canary, summary, decidedAt, timeline } = details
  const [first] = details.sightings
  const facts: Fact[] = [
    [
      canary.submittedAt > 0 ? 'Submitted' : 'Was to be submitted',
      fullTime(canary.submittedAt || canary.scheduledAt),
    ],
    ['Seed', summary.seed, `/seeds/${encodeURIComponent(summary.seed)}`],
    ['Provider', summary.provider],
    ['Origin', summary.origin],
    ['Probe', canary.probe],
    ['Content', canary.content],
  ]
  const { queueId } = summary
  if (timeline.length > 0) {
    facts.push(['Queue id', queueId, `/api/messages/${encodeURIComponent(queueId)}`])
    facts.push(['On the host', `mailcanary trace ${queueId}`])
  } else if (queueId !== '') facts.push(['Queue id', queueId])
  if (first !== undefined && summary.seconds !== undefined) {
    facts.push(['Arrived after', took(summary.seconds)])
    if (first.tls !== undefined)
      facts.push(['Came over', first.tls === '' ? 'no word of TLS' : tlsWords(first.tls)])
    facts.push(['Told by', ARRIVAL_SOURCE_WORDS.get(first.arrivalSource) ?? first.arrivalSource])
  }
  facts.push(
    decidedAt > 0
      ? ['Judged', fullTime(decidedAt)]
      : ['Judged at the latest', fullTime(canary.deadlineAt)],
  )
  return facts
}

function tlsWords(tls: string): string {
  return tls === 'yes' ? 'TLS' : tls
}

// Whatever happens may have happened to this one.
const follower = new Follower({ status: () => void ask(), away: showAway })
follower.follow('15m')
void ask()
