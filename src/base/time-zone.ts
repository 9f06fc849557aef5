import { DAY, SECOND } from './clock.ts'

/** How far the clocks of a zone are ahead of UTC around one of its days; all in milliseconds. */
export interface ClocksOfDay {
  readonly before: number
  readonly after: number
  /** When they are changed from the one to the other; `Infinity` where both are the same. */
  readonly changedAt: number
}

/** Whether it is a name of the IANA time zone database, such as Europe/Berlin, or UTC. */
export function isTimeZone(name: string): boolean {
  try {
    return clockOf(name) !== undefined
  } catch {
    return false
  }
}

/**
 * How far the clocks of a zone are ahead of UTC at a moment, milliseconds.
 *
 * @param at milliseconds since the epoch
 */
export function offsetOf(zone: string, at: number): number {
  const parts: Record<string, number> = {}
  for (const { type, value } of clockOf(zone).formatToParts(at)) parts[type] = Number(value)
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = parts
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / SECOND) * SECOND
}

/**
 * The clocks of a day, and of a day before and after it: no zone changes them twice within so few.
 *
 * @param midnight when the day would begin in UTC
 */
export function clocksAround(zone: string, midnight: number): ClocksOfDay {
  const key = `${zone} ${midnight}`
  const known = DAYS.get(key)
  if (known !== undefined) return known
  const clocks = lookAround(zone, midnight)
  if (DAYS.size >= REMEMBERED) DAYS.clear()
  DAYS.set(key, clocks)
  return clocks
}

/** Days that are asked for again and again, by zone and midnight. */
const DAYS = new Map<string, ClocksOfDay>()
const REMEMBERED = 100

function lookAround(zone: string, midnight: number): ClocksOfDay {
  let from = midnight - DAY
  let until = midnight + 2 * DAY
  const before = offsetOf(zone, from)
  const after = offsetOf(zone, until)
  if (before === after) return { before, after, changedAt: Number.POSITIVE_INFINITY }
  while (until - from > SECOND) {
    const middle = from + Math.floor((until - from) / 2 / SECOND) * SECOND
    if (offsetOf(zone, middle) === before) from = middle
    else until = middle
  }
  return { before, after, changedAt: until }
}

const CLOCKS = new Map<string, Intl.DateTimeFormat>()

/** @throws RangeError for a zone that does not exist */
function clockOf(zone: string): Intl.DateTimeFormat {
  const known = CLOCKS.get(zone)
  if (known !== undefined) return known
  const clock = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'iso8601',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  CLOCKS.set(zone, clock)
  return clock
}
