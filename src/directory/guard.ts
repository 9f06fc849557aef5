import { inPortions } from '../base/portions.ts'
import type { Snapshot } from './account.ts'
import type { SourceEntry } from './source.ts'

export interface GuardLimits {
  /** How many usable accounts one reading may lose, whatever their share. */
  readonly most: number
  /** Which share of them, 0.1 for 10 %; the larger of the two holds. */
  readonly share: number
}

export const GUARD_LIMITS: GuardLimits = { most: 5, share: 0.1 }

/**
 * Why a full reading must not be believed, before it is made into a snapshot. A WRONG READING IS WORSE THAN NONE:
 * an anonymous one shows all people and no passwords.
 */
export function mistrustEntries(entries: readonly SourceEntry[]): string | undefined {
  if (entries.length === 0) return 'the source has no entry at all'
  if (entries.every(entry => entry.passwords.length === 0)) {
    return 'no entry has a password: wrong attribute, or no right to read it'
  }
  return undefined
}

/** Why a candidate must not replace what we have: too many people would lose their login at once. */
export async function mistrustCandidate(
  candidate: Snapshot,
  previous: Snapshot | undefined,
  limits: GuardLimits,
): Promise<string | undefined> {
  const { usable: after } = candidate
  // With such a snapshot every login would be refused, where without one they are put off.
  if (after === 0) return 'nobody could log in'
  if (previous === undefined) return undefined
  const { usable: before } = previous
  // Not the difference of the sums: as many new people would hide the loss of the old ones.
  let lost = 0
  await inPortions(previous.accounts.values(), ({ login, rejection }) => {
    const now = candidate.accounts.get(login)
    const gone = now === undefined || now.rejection !== undefined
    if (rejection === undefined && gone) lost++
  })
  return lost > Math.max(limits.most, before * limits.share)
    ? `${lost} of ${before} accounts would lose their login`
    : undefined
}
