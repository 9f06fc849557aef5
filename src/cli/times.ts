import { formatDuration } from '../base/duration.ts'

/** A moment in the time zone of whoever asks: `2026-11-23 22:14:40`. @param at milliseconds since the epoch */
export function dateTime(at: number): string {
  const date = new Date(at)
  const two = (n: number): string => String(n).padStart(2, '0')
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-')
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`
}

/** When something will be, as seen now: `in 12m (22:14:40)`, with the date where that is another day; `now`. */
export function whenNext(at: number, now: number): string {
  if (at <= now) return 'now'
  const then = dateTime(at)
  const [day, time] = then.split(' ')
  return `in ${formatDuration(at - now)} (${day === dateTime(now).split(' ')[0] ? time : then})`
}

/** How long ago something was: `2h 5m ago`. */
export function ago(at: number, now: number): string {
  return `${formatDuration(Math.max(0, now - at))} ago`
}
