import { createTask, parse, validate } from 'node-cron'

import { DAY, HOUR, MINUTE, SECOND } from './clock.ts'
import { type ClocksOfDay, clocksAround } from './time-zone.ts'

// The 29th of February on a given weekday comes every 28 years, and every 40 around 2100.
const FAR_AHEAD = 41 * 366 * DAY
const HOURS_OF_DAY = 24

/** Whether it is a cron expression with five or six fields. */
export function isCronExpression(expression: string): boolean {
  return validate(expression)
}

/**
 * The next time of a cron expression by the clocks of a time zone. node-cron knows the expression, and this the zone,
 * since node-cron leaves an hour out where the clocks are put back. As in RFC 5545 section 3.3.5, a time that the clocks
 * skip is told by those from before the change (02:30 is 03:30), and of a time that comes twice the first is meant; an
 * expression for every hour goes on in both hours. What falls together is one time.
 *
 * @param zone such as Europe/Berlin
 * @param after milliseconds since the epoch
 * @returns milliseconds since the epoch; `Infinity` if it never comes
 */
export function nextCronTime(expression: string, zone: string, after: number): number {
  const { hours, minutes, seconds, isOn } = timesOf(expression)
  const everyHour = hours.length === HOURS_OF_DAY
  // In the zones behind UTC it is still yesterday.
  const first = Math.floor(after / DAY) * DAY - DAY
  for (let day = first; day < first + FAR_AHEAD; day += DAY) {
    if (!isOn(day)) continue
    const clocks = clocksAround(zone, day)
    const behind = day - Math.min(clocks.before, clocks.after)
    const ahead = day - Math.max(clocks.before, clocks.after)
    // On other days times come in the order in which the clocks show them.
    const inOrder = behind + DAY <= clocks.changedAt || ahead >= clocks.changedAt
    let next = Number.POSITIVE_INFINITY
    for (const hour of hours) {
      if (inOrder && behind + (hour + 1) * HOUR <= after) continue
      for (const minute of minutes) {
        for (const second of seconds) {
          const shown = day + hour * HOUR + minute * MINUTE + second * SECOND
          for (const at of momentsOf(shown, clocks, everyHour)) {
            if (at > after && at < next) next = at
          }
          if (inOrder && next < Number.POSITIVE_INFINITY) return next
        }
      }
    }
    if (next < Number.POSITIVE_INFINITY) return next
  }
  return Number.POSITIVE_INFINITY
}

/** What an expression means, by the clocks of any zone. */
interface Times {
  readonly hours: readonly number[]
  readonly minutes: readonly number[]
  readonly seconds: readonly number[]
  /** @param day its beginning in UTC */
  readonly isOn: (day: number) => boolean
}

/** Days that are asked for again and again. */
const REMEMBERED = 100

// Those of the configuration: few.
const EXPRESSIONS = new Map<string, Times>()

function timesOf(expression: string): Times {
  const known = EXPRESSIONS.get(expression)
  if (known !== undefined) return known
  const { hour: hours, minute: minutes, second: seconds } = parse(expression)
  // Never started: it only tells which days are meant.
  const task = createTask(expression, () => undefined, { timezone: 'UTC' })
  const atFirst = (hours[0] ?? 0) * HOUR + (minutes[0] ?? 0) * MINUTE + (seconds[0] ?? 0) * SECOND
  const days = new Map<number, boolean>()
  const isOn = (day: number): boolean => {
    const isKnown = days.get(day)
    if (isKnown !== undefined) return isKnown
    if (days.size >= REMEMBERED) days.clear()
    const answer = task.match(new Date(day + atFirst))
    days.set(day, answer)
    return answer
  }
  const times = { hours, minutes, seconds, isOn }
  EXPRESSIONS.set(expression, times)
  return times
}

/** When the clocks show a time. @param shown what it would be in UTC */
function momentsOf(
  shown: number,
  { before, after, changedAt }: ClocksOfDay,
  both: boolean,
): readonly number[] {
  const early = shown - before
  const late = shown - after
  const isBefore = early < changedAt
  const isAfter = late >= changedAt
  if (isBefore && isAfter) return both ? [early, late] : [early]
  return isAfter ? [late] : [early]
}
