import type { HoldTarget } from './operations.ts'

/** A hold that stands, or (`lifted_at`) stood. */
export interface HoldRow {
  readonly kind: HoldTarget['kind']
  readonly value: string
  readonly set_at: number
  readonly set_by: string
  readonly lifted_at: number | null
  readonly lifted_by: string | null
}

/** Whether a hold is about the deliveries of a login to a domain. One that we do not understand is about all. */
export function names(hold: HoldTarget, domain: string, login: string): boolean {
  if (hold.kind === 'destination') return hold.value === domain
  return hold.kind === 'login' ? hold.value === login : true
}

/** A hold in words: `hold on example.net`. */
export function titleOf({ kind, value }: HoldTarget): string {
  if (kind === 'destination') return `hold on ${value}`
  return kind === 'login' ? `hold on login ${value}` : 'hold on everything'
}

/** Why a delivery is held, for people: `held by root`, `hold on example.net by root`. '' if it is not. */
export function keptBy(
  row: {
    readonly domain: string
    readonly login: string
    readonly state: string
    readonly kept: string
  },
  standing: readonly HoldRow[],
): string {
  if (row.state === 'ended') return ''
  const reasons = standing
    .filter(hold => names(hold, row.domain, row.login))
    .map(hold => `${titleOf(hold)} by ${hold.set_by}`)
  if (row.state === 'held') reasons.unshift(row.kept === '' ? 'held' : row.kept)
  return reasons.join(', ')
}
