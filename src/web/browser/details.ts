import { byId, el, say } from './dom.ts'
import { chip } from './matrix.ts'
import type { CanaryDetails } from './status-data.ts'
import { stageWords, took, VERDICT_WORDS } from './words.ts'

interface Moment {
  readonly at: number
  readonly text: string
}

/** Opens the story of one canary: what the origin, the relay and the mailbox each had to say, in order of time. */
export async function openDetails(id: string, clock: (at: number) => string): Promise<void> {
  const dialog = byId('details') as HTMLDialogElement
  const story = byId('story')
  say(byId('details-title'), 'One canary')
  story.replaceChildren(el('p', { class: 'quiet' }, 'Asking…'))
  dialog.showModal()
  try {
    const answer = await fetch(`/api/canaries/${encodeURIComponent(id)}`)
    if (!answer.ok) throw new Error(`answered ${answer.status}`)
    const details = (await answer.json()) as CanaryDetails
    const { origin, seed } = details.summary
    say(byId('details-title'), `From ${origin} to ${seed}`)
    story.replaceChildren(...contentOf(details, clock))
  } catch {
    story.replaceChildren(el('p', {}, 'This canary cannot be had: it is gone, or nobody answers.'))
  }
}

function contentOf(details: CanaryDetails, clock: (at: number) => string): readonly Node[] {
  const { summary, sightings } = details
  const arrived = summary.seconds === undefined ? '' : `after ${took(summary.seconds)}`
  const where = summary.stage === '' ? arrived : stageWords(summary.stage)
  return [
    el(
      'p',
      { class: 'verdict-line' },
      chip(summary.verdict, VERDICT_WORDS[summary.verdict]),
      ` ${where}`,
    ),
    el(
      'ol',
      { class: 'moments' },
      ...momentsOf(details).map(({ at, text }) =>
        el('li', {}, el('time', { datetime: new Date(at).toISOString() }, clock(at)), text),
      ),
    ),
    ...sightings
      .filter(sighting => sighting.header !== '')
      .map(sighting =>
        el(
          'details',
          {},
          el('summary', {}, `Header as read from ${sighting.folder}`),
          el('pre', { tabindex: '0' }, el('code', {}, sighting.header)),
        ),
      ),
  ]
}

function momentsOf(details: CanaryDetails): readonly Moment[] {
  const { canary, summary, sightings, timeline, decidedAt, lateAt } = details
  const moments: Moment[] = [
    ...(canary.submittedAt > 0
      ? [{ at: canary.submittedAt, text: words(`taken by ${summary.origin}`, summary.queueId) }]
      : []),
    ...timeline.map(({ at, kind, host, reply, tls, note }) => ({
      at,
      text: words(`relay: ${kind}`, host === '' ? '' : `by ${host}`, tls, reply, note),
    })),
    ...sightings.map(({ arrivedAt, folder, auth }) => ({
      at: arrivedAt,
      text: `arrived in ${folder}; spf ${auth.spf}, dkim ${auth.dkim}, dmarc ${auth.dmarc}`,
    })),
    ...(lateAt > 0 ? [{ at: lateAt, text: 'seen, too late to count' }] : []),
    ...(decidedAt > 0
      ? [{ at: decidedAt, text: words(`judged ${VERDICT_WORDS[summary.verdict]}`, summary.detail) }]
      : [{ at: canary.deadlineAt, text: 'judged at the latest' }]),
  ]
  return moments.toSorted((a, b) => a.at - b.at)
}

function words(...parts: readonly string[]): string {
  return parts.filter(part => part !== '').join(' ')
}
