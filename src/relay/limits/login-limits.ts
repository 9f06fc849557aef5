/** What can be too much of one login. Also the label of the metric. */
export const LIMIT_NAMES = [
  'messages_per_hour',
  'messages_per_day',
  'recipients_per_hour',
  'recipients_per_day',
  'new_recipients_per_day',
] as const

export type LimitName = (typeof LIMIT_NAMES)[number]

/** What happens to mail over a limit: the client is told to come later (450), or it is taken and kept back. */
export type OverLimit = 'defer' | 'hold'

/** How much one login may send. `Infinity` is no limit. */
export interface LoginLimits extends Readonly<Record<LimitName, number>> {
  readonly over: OverLimit
}

/** Nothing is counted for such a login. */
export const UNLIMITED: LoginLimits = {
  over: 'defer',
  messages_per_hour: Infinity,
  messages_per_day: Infinity,
  recipients_per_hour: Infinity,
  recipients_per_day: Infinity,
  new_recipients_per_day: Infinity,
}

/**
 * Mail over a limit is kept back until there is this many times the limit of it; beyond that it is deferred, or one
 * stolen password would fill the disk of all.
 */
export const HOLD_AT_MOST = 10

export function isUnlimited(limits: LoginLimits): boolean {
  return LIMIT_NAMES.every(name => limits[name] === Infinity)
}
