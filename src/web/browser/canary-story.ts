import { cell, el, rowOf } from './dom.ts'
import type { CanaryDetails, CanaryHop, CanarySummary } from './status-data.ts'
import { BLINDNESS_WORDS, stageWords, took, VERDICT_WORDS, wordsOf } from './words.ts'

type Clock = (at: number) => string

interface Moment {
  readonly at: number
  readonly tone: 'good' | 'doubtful' | 'bad' | 'none'
  readonly who: string
  readonly text: string
  /** In the words of a server. */
  readonly reply?: string
}

const TONES: Readonly<Record<string, Moment['tone']>> = {
  inbox: 'good',
  delivered: 'good',
  spam: 'doubtful',
  other: 'doubtful',
  deferred: 'doubtful',
  missing: 'bad',
  bounced: 'bad',
  rejected: 'bad',
}

/** What became of a canary, and why it is called so, in a sentence. */
export function verdictSentence({ verdict, stage, detail, seconds, late }: CanarySummary): string {
  const after = seconds === undefined ? '' : ` after ${took(seconds)}`
  const said = detail === '' ? '' : `: ${detail}`
  switch (verdict) {
    case 'inbox':
      return `Found in the inbox${after}${detail === '' ? '' : ` (${detail})`}.`
    case 'spam':
      return `Filed as spam${after}${detail === '' ? '' : ` (${detail})`}.`
    case 'other':
      return `Found${after}, but neither in the inbox nor in spam.`
    case 'missing':
      return `Looked for until its deadline: ${stageWords(stage)}${said}.${late ? ' It came later, which changes no rate.' : ''}`
    case 'bounced':
      return `Came back, ${stageWords(stage)}${said}`
    case 'rejected':
      return `The origin did not take it${said}`
    case 'unknown':
      return `Nobody knows: ${BLINDNESS_WORDS.get(detail) ?? detail}. Not counted as lost.`
    case 'pending':
      return 'On its way: it is looked for until its deadline.'
  }
}

/** What the origin, the relay and the mailbox each had to say, in order of time. */
export function momentItems(details: CanaryDetails, clock: Clock): readonly Node[] {
  const { submittedAt, scheduledAt } = details.canary
  const start = submittedAt || scheduledAt
  return momentsOf(details).map(({ at, tone, who, text, reply = '' }) =>
    el(
      'li',
      { class: tone },
      el(
        'p',
        { class: 'when' },
        el('time', { datetime: new Date(at).toISOString() }, clock(at)),
        at > start ? el('span', { class: 'after' }, `+${afterWords(at - start)}`) : undefined,
      ),
      el('p', {}, el('strong', {}, who), ` ${text}`),
      reply === '' ? undefined : el('p', { class: 'reply' }, reply),
    ),
  )
}

function momentsOf(details: CanaryDetails): readonly Moment[] {
  const { canary, summary, sightings, timeline, elsewhere, decidedAt, lateAt, report } = details
  const moments: Moment[] = [
    canary.submittedAt > 0
      ? {
          at: canary.submittedAt,
          tone: 'none',
          who: summary.origin,
          text: wordsOf('took it', summary.queueId === '' ? '' : `as ${summary.queueId}`),
        }
      : { at: canary.scheduledAt, tone: 'none', who: 'Prober', text: 'was to submit it' },
    // That it was accepted is what the origin said.
    ...[...timeline, ...(elsewhere ? [{ ...elsewhere, note: '' }] : [])]
      .filter(({ kind }) => kind !== 'accepted')
      .map(({ at, kind, host, reply, tls, note }): Moment => ({
        at,
        tone: TONES[kind] ?? 'none',
        who: 'Relay',
        text: wordsOf(
          // These two are told by their notes.
          kind === 'report' || kind === 'operator' ? '' : kind,
          host === '' ? '' : `at ${host}`,
          tls === '' ? '' : `(${tls})`,
          note,
        ),
        reply,
      })),
    ...sightings.map(({ seenAt, folder, placement, tab }, index): Moment => ({
      at: seenAt,
      tone: TONES[placement] ?? 'none',
      who: 'Mailbox',
      text: wordsOf(
        index === 0 ? 'has it in' : 'has it also in',
        folder,
        tab === undefined ? '' : `(tab ${tab})`,
      ),
    })),
    ...(report
      ? [
          {
            at: report.at,
            tone: 'bad',
            who: 'Report',
            text: wordsOf('came back', report.host === '' ? '' : `about ${report.host}`),
            reply: report.reply,
          } as const,
        ]
      : []),
    ...(lateAt > 0
      ? [{ at: lateAt, tone: 'none', who: 'Mailbox', text: 'got it too late to count' } as const]
      : []),
    decidedAt > 0
      ? {
          at: decidedAt,
          tone: TONES[summary.verdict] ?? 'none',
          who: 'Verdict:',
          text: VERDICT_WORDS[summary.verdict],
        }
      : { at: canary.deadlineAt, tone: 'none', who: 'Deadline:', text: 'judged at the latest' },
  ]
  return moments.toSorted((a, b) => a.at - b.at)
}

function afterWords(milliseconds: number): string {
  return milliseconds < 1_000 ? `${milliseconds} ms` : took(milliseconds / 1_000)
}

/** One row a host, the first at the top. */
export function hopRows(hops: readonly CanaryHop[], clock: Clock): readonly Node[] {
  return hops.map(({ from, by, protocol, tls, at, delay }) =>
    rowOf(
      el('th', { scope: 'row', role: 'rowheader' }, by || 'a host that does not say its name'),
      cell('From', { class: 'said' }, from || '–'),
      cell('With', {}, protocol || '–'),
      cell('TLS', {}, tls || 'no word'),
      cell('At', { class: 'when' }, at === undefined ? '–' : clock(at)),
      cell('Took', { class: 'number' }, delayWords(delay)),
    ),
  )
}

function delayWords(delay: number | undefined): string {
  if (delay === undefined) return ''
  return delay < 0 ? `−${took(-delay / 1_000)} (clocks disagree)` : took(delay / 1_000)
}

export function headerOf({ folder, header }: CanaryDetails['sightings'][number]): HTMLElement {
  return el(
    'details',
    { class: 'card' },
    el('summary', {}, `As read from ${folder}`),
    el(
      'pre',
      { tabindex: '0', role: 'region', 'aria-label': `Header as read from ${folder}` },
      el('code', {}, header.trimEnd()),
    ),
  )
}
