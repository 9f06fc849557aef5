import type { CanaryRecord } from '../../src/probe/history.ts'
import { labelOf, type Placement, type VerdictLabel } from '../../src/probe/model.ts'
import type { Blind, Expected, Fate, OriginKind } from './fates.ts'

/** What really happened to one canary, as those wrote it down who did it. */
export interface Entry {
  readonly fate: Fate
  readonly kind: OriginKind
  readonly blind: Blind | undefined
  /** Where it was filed, and when: milliseconds since the epoch by the one clock of the run. */
  readonly filed: { readonly at: number; readonly placement: Placement }[]
  /** How the provider says that it got it over TLS. */
  readonly tls: string
  /** The provider said 250. */
  taken: boolean
  /** Attempts that were told something else than 250. */
  told: number
  /** When a report of the failure lay in the bounce mailbox; undefined while none does. */
  returnedAt: number | undefined
  /**
   * The relay could not be asked while the canary was on its way, or was killed: of what it was told then it may know nothing,
   * or too late.
   */
  disturbed: boolean
  /** The origin was killed while it was asked: whether it has the canary it never said. */
  interrupted: boolean
}

const REPLIES = {
  refused: { code: 550, enhanced: '5.7.1' },
  returned: { code: 550, enhanced: '5.7.26' },
} as const

/** Of the big providers' words, what `test/truth/world.ts` has them say. */
export const WORDS = {
  refused: '5.7.1 This message is likely unsolicited mail and has been blocked',
  returned: '550 5.7.26 This message fails DMARC checks and was blocked',
  deferred: '4.3.0 Temporary system problem, try later',
  greylisted: '4.2.0 Recipient address rejected: Greylisted',
  full: '5.2.2 The recipient inbox is out of storage space',
  fullForNow: '4.2.2 The recipient inbox is out of storage space',
  locked: '5.2.1 The email account that you tried to reach is disabled',
} as const

/** Whether it was filed, or a report came back, so near to the deadline that both words are true. */
export function isOnTheLine({ filed, returnedAt }: Entry, { canary }: CanaryRecord): boolean {
  const times = [...filed.map(({ at }) => at), ...(returnedAt === undefined ? [] : [returnedAt])]
  return times.some(at => Math.abs(at - canary.deadlineAt) < 2_000)
}

/** The verdict that is true of what happened, at the deadline of the canary. */
export function truthOf(entry: Entry, { canary }: CanaryRecord): Expected {
  const { kind, blind, fate } = entry
  if (entry.interrupted) return { label: 'rejected', says: {} }
  if (kind !== 'relay' && kind !== 'untraced') return rejected(kind)
  const inTime = entry.filed.filter(({ at }) => at <= canary.deadlineAt)
  if (inTime.length > 0 && (blind === undefined || blind === 'no-junk-folder')) {
    const placements = inTime.map(({ placement }) => placement)
    const first = fate === 'twice' ? 'inbox' : (placements[0] ?? 'inbox')
    // What lies in a folder for spam that we cannot find is not seen.
    if (blind === undefined || first === 'inbox') return arrived(entry, first)
  }
  // The relay tells at once; where it was killed between the refusal and its own note of it, the report is the word.
  const failed = entry.returnedAt !== undefined && entry.returnedAt <= canary.deadlineAt
  if (failed && fate === 'full') return unknown('seed-full')
  if (failed && fate === 'locked') return unknown('seed-locked')
  if (failed && (fate === 'refused' || fate === 'returned')) {
    return { label: 'bounced', says: { reply: REPLIES[fate], stage: 'provider-refused' } }
  }
  if (fate === 'full-for-now' && entry.told > 0) return unknown('seed-full')
  if (blind !== undefined) return unknown(blind)
  return missing(entry)
}

function rejected(cause: string): Expected {
  return { label: 'rejected', says: { cause } }
}

function unknown(reason: string): Expected {
  return { label: 'unknown', says: { reason } }
}

function arrived({ fate, kind, tls, disturbed }: Entry, placement: Placement): Expected {
  const deferrals = { greylisted: true }
  return {
    label: placement,
    says: {
      placement,
      tls,
      auth: { spf: 'pass', dmarc: 'pass' },
      ...(fate === 'tab' && { tab: 'promotions' }),
      ...(fate === 'greylisted' && kind === 'relay' && !disturbed && { deferrals }),
    },
  }
}

function missing({ fate, kind, taken, told, disturbed }: Entry): Expected {
  if (kind === 'untraced') return { label: 'missing', says: { stage: 'submitted' } }
  if (taken) return { label: 'missing', says: { stage: 'provider-accepted' } }
  const deferrals = { greylisted: fate === 'greylisted' }
  return {
    label: 'missing',
    says: { stage: 'queue', ...(told > 0 && !disturbed && { deferrals }) },
  }
}

const FAILURES: ReadonlyMap<Fate, VerdictLabel> = new Map([
  ['refused', 'bounced'],
  ['returned', 'bounced'],
  ['full', 'unknown'],
  ['full-for-now', 'unknown'],
  ['locked', 'unknown'],
])

/** What of a record is not as it has to be, in words; '' where it all is. */
export function objection(entry: Entry, record: CanaryRecord): string {
  const { verdict } = record
  const expected = truthOf(entry, record)
  if (verdict === undefined) return 'has no verdict'
  if (entry.disturbed && entry.filed.length === 0 && entry.blind === undefined) {
    // That it did not arrive is certain; why, only where somebody could tell in time.
    if (labelOf(verdict) === 'missing' && FAILURES.has(entry.fate)) return ''
    if (labelOf(verdict) === FAILURES.get(entry.fate)) return ''
  }
  if (labelOf(verdict) !== expected.label) return `is ${labelOf(verdict)}`
  const wrong =
    entry.disturbed && verdict.kind === 'missing' ? [] : differences(expected.says, verdict)
  return wrong.length === 0 ? '' : `says ${wrong.join(', ')}`
}

function differences(
  wanted: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, unknown>>,
  path = '',
): string[] {
  return Object.entries(wanted).flatMap(([key, value]) => {
    const found = given[key]
    if (typeof value === 'object' && value !== null) {
      return differences(
        value as Record<string, unknown>,
        (found ?? {}) as Record<string, unknown>,
        `${path}${key}.`,
      )
    }
    return found === value ? [] : [`${path}${key} ${String(found)} and not ${String(value)}`]
  })
}
