import type { Cell, Rate, RangeName, SeedState, Status, VerdictName } from './status-data.ts'

/** What a verdict is called on the page. */
export const VERDICT_WORDS: Readonly<Record<VerdictName | 'pending', string>> = {
  inbox: 'inbox',
  spam: 'spam',
  other: 'other folder',
  missing: 'missing',
  bounced: 'bounced',
  rejected: 'rejected',
  unknown: 'unknown',
  pending: 'on its way',
}

const STAGE_WORDS: ReadonlyMap<string, string> = new Map([
  ['submission', 'refused at submission'],
  ['submitted', 'taken by the origin, which does not tell more'],
  ['queue', 'still in the queue of the relay'],
  ['provider-refused', 'refused by the provider'],
  ['provider-accepted', 'accepted by the provider, never seen'],
])

/** How far a canary came, in words. */
export function stageWords(stage: string): string {
  return STAGE_WORDS.get(stage) ?? stage
}

export const RANGE_WORDS: Readonly<Record<RangeName, string>> = {
  '15m': 'in the last 15 minutes',
  '1h': 'in the last hour',
  '6h': 'in the last 6 hours',
  '24h': 'in the last 24 hours',
  '7d': 'in the last 7 days',
  '30d': 'in the last 30 days',
}

/** A share in whole percent; all and none only where it is truly all or none. */
export function percent(share: number): string {
  const rounded = Math.round(share * 100)
  if (rounded === 100 && share < 1) return '> 99 %'
  if (rounded === 0 && share > 0) return '< 1 %'
  return `${rounded} %`
}

export function percentOf(rate: Rate): string {
  return rate.n === 0 ? 'no data' : percent(rate.hits / rate.n)
}

/** The interval of a rate, `89–97 %`. */
export function intervalOf(rate: Rate): string {
  return `${Math.round(rate.low * 100)}–${Math.round(rate.high * 100)} %`
}

/** A duration as a glance wants it: `< 0.1 s`, `4.2 s`, `12 s`, `3 min`, `2 h 5 min`. */
export function took(seconds: number): string {
  if (seconds < 0.05) return '< 0.1 s'
  if (seconds < 9.95) return `${Number(seconds.toFixed(1))} s`
  if (seconds < 120) return `${Math.round(seconds)} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 120) return `${minutes} min`
  const rest = minutes % 60
  return `${Math.floor(minutes / 60)} h${rest === 0 ? '' : ` ${rest} min`}`
}

const DAY = 86_400_000

/** How old an account is: `12 days`, `5 months`, `3 years`. Filters learn, and treat a young one unlike others. */
export function ageOf(createdAt: number, now: number): string {
  const days = Math.max(0, Math.floor((now - createdAt) / DAY))
  if (days < 60) return many(days, 'day')
  return days < 730
    ? many(Math.floor(days / 30.44), 'month')
    : many(Math.floor(days / 365.25), 'year')
}

export function many(count: number, noun: string, plural = `${noun}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? noun : plural}`
}

export interface Health {
  readonly tone: 'good' | 'doubtful' | 'bad' | 'none'
  readonly word: string
}

// A tenth: less is noise with the few canaries of a day, more is felt by people.
const FELT = 0.1
// As the alerts ask: below it one bad canary would condemn a provider.
const ENOUGH = 3

/** Providers none of whose seeds can be read now: of their mail of this hour nothing is known. */
export function blindProviders(seeds: readonly SeedState[]): ReadonlySet<string> {
  const seeing = new Set(seeds.filter(seed => seed.state !== 'blind').map(seed => seed.provider))
  return new Set(seeds.map(seed => seed.provider).filter(provider => !seeing.has(provider)))
}

/** One word for an origin at a provider; it stands beside the numbers, never instead of them. */
export function healthOf({ counts, inbox }: Cell): Health {
  const { n } = inbox
  if (n === 0) {
    return counts.unknown > 0
      ? { tone: 'none', word: 'cannot be seen' }
      : { tone: 'none', word: 'no canaries' }
  }
  if (n < ENOUGH) return { tone: 'none', word: 'too few to say' }
  const lost = counts.missing + counts.bounced + counts.rejected
  if (lost / n >= FELT) return { tone: 'bad', word: 'mail is lost' }
  if (counts.spam / n >= FELT) return { tone: 'doubtful', word: 'goes to spam' }
  return { tone: 'good', word: 'arrives' }
}

const SEED_WORDS: Readonly<Record<SeedState['state'], Health>> = {
  reading: { tone: 'good', word: 'can be read' },
  blind: { tone: 'bad', word: 'cannot be read' },
  stale: { tone: 'doubtful', word: 'not read lately' },
  unread: { tone: 'none', word: 'not read yet' },
}

export function seedHealth(seed: SeedState): Health {
  return SEED_WORDS[seed.state]
}

/** The page in a sentence, and what it leaves out in another. */
export function headlineOf(status: Status): { readonly title: string; readonly lead: string } {
  const sum = (pick: (cell: Cell) => number): number =>
    status.cells.reduce((total, cell) => total + pick(cell), 0)
  const n = sum(cell => cell.inbox.n)
  const inbox = sum(cell => cell.inbox.hits)
  const arrived = sum(cell => cell.arrived.hits)
  const unknown = sum(cell => cell.counts.unknown)
  const when = RANGE_WORDS[status.range]
  if (n === 0) {
    const title = unknown > 0 ? 'No mailbox could be read' : `No canary has been judged ${when}`
    const lead =
      unknown > 0
        ? `${many(unknown, 'canary', 'canaries')} ${when} could not be judged: nothing is known of them.`
        : ''
    return { title, lead }
  }
  const elsewhere = arrived - inbox
  const lost = n - arrived
  const rest = [
    elsewhere > 0 ? `${many(elsewhere, 'went', 'went')} to spam or another folder` : '',
    lost > 0 ? `${many(lost, 'was', 'were')} lost on the way` : '',
  ].filter(part => part !== '')
  const blind =
    unknown > 0
      ? ` ${many(unknown, 'more', 'more')} could not be judged, because a mailbox could not be read.`
      : ''
  return {
    title: `${inbox.toLocaleString('en')} of ${many(n, 'canary', 'canaries')} reached the inbox`,
    lead: `${rest.length === 0 ? 'None was lost and none went to spam' : capital(rest.join(', '))} ${when}.${blind}`,
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

export function wordsOf(...parts: readonly string[]): string {
  return parts.filter(part => part !== '').join(' ')
}

/** Whose clock an arrival time is by. */
export const ARRIVAL_SOURCE_WORDS: ReadonlyMap<string, string> = new Map([
  ['internaldate', 'the mailbox (INTERNALDATE)'],
  ['received', 'the last Received field'],
  ['detection', 'our own sight of it'],
])

/** What a result of SPF, DKIM or DMARC means for the mail (RFC 8601 section 2.7). */
export function authTone(result: string): Health['tone'] {
  if (result === 'pass') return 'good'
  if (result === 'fail' || result === 'permerror' || result === 'policy') return 'bad'
  return result === 'softfail' || result === 'temperror' ? 'doubtful' : 'none'
}

/** Why a canary is unknown. */
export const BLINDNESS_WORDS: ReadonlyMap<string, string> = new Map([
  ['unreadable', 'the mailbox could not be read'],
  ['sign-in', 'nobody could sign in to the mailbox'],
  ['no-junk-folder', 'the account has no folder that could be taken for spam'],
  ['prober-stopped', 'the prober did not run'],
  ['seed-full', 'the account of the seed is full'],
  ['seed-locked', 'the account of the seed is locked, or receives too much'],
  ['seed-gone', 'the provider says that there is no such account'],
])
