import type { RangeName } from './status-data.ts'

const minutes = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const seconds = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' })
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })
const whole = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' })

/** A moment beside today's others: the day only where it is another. */
export function clock(at: number): string {
  const of = day.format(at)
  return of === day.format(Date.now()) ? minutes.format(at) : `${of}, ${minutes.format(at)}`
}

/** The same to the second. */
export function exactClock(at: number): string {
  const of = day.format(at)
  return of === day.format(Date.now()) ? seconds.format(at) : `${of}, ${seconds.format(at)}`
}

export function fullTime(at: number): string {
  return whole.format(at)
}

/** What a step of a chart is called. */
export function stepLabel(range: RangeName): (at: number) => string {
  if (range === '30d') return at => day.format(at)
  if (range === '7d') return at => `${day.format(at)}, ${minutes.format(at)}`
  return at => minutes.format(at)
}
