import { createTask, parse, validate } from 'node-cron'

import { DAY, HOUR, MINUTE, SECOND } from './clock.ts'
import { type ClocksOfDay, clocksAround, offsetOf } from './time-zone.ts'

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
  const { hour: hours, minute: minutes, second: seconds } = parse(expression)
  const everyHour = hours.length === HOURS_OF_DAY
  // Never started: it only tells which days are meant.
  const task = createTask(expression, () => undefined, { timezone: 'UTC' })
  const firstOfDay =
    (hours[0] ?? 0) * HOUR + (minutes[0] ?? 0) * MINUTE + (seconds[0] ?? 0) * SECOND
  const today = Math.floor((after + offsetOf(zone, after)) / DAY) * DAY
  try {
    for (let day = today; day < today + FAR_AHEAD; day += DAY) {
      if (!task.match(new Date(day + firstOfDay))) continue
      const clocks = clocksAround(zone, day)
      let next = Number.POSITIVE_INFINITY
      for (const hour of hours) {
        for (const minute of minutes) {
          for (const second of seconds) {
            const shown = day + hour * HOUR + minute * MINUTE + second * SECOND
            for (const at of momentsOf(shown, clocks, everyHour)) {
              if (at > after && at < next) next = at
            }
          }
        }
      }
      if (next < Number.POSITIVE_INFINITY) return next
    }
    return Number.POSITIVE_INFINITY
  } finally {
    void task.destroy()
  }
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
