import type { HoldTarget } from './store.ts'

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
