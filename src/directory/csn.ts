import { SECOND } from '../base/clock.ts'

// Changes get their number before they are committed, so one with an older number may appear after a newer.
const OVERLAP = 5 * SECOND

/**
 * The newest of some change sequence numbers, `20261123221500.123456Z#000000#001#000000` (draft-ietf-ldup-model):
 * of fixed width, so that text order is time order. '' where there is none.
 */
export function newestOf(numbers: readonly string[]): string {
  let newest = ''
  for (const number of numbers) if (number > newest) newest = number
  return newest
}

/**
 * A number, but none after the mark that was read BEFORE the entries: a person who changed while they were read has a newer one,
 * and a role that changed before that, and was read too early, would be overlooked. '' where there is no mark.
 */
export function notAfter(number: string, mark: string): string {
  return number < mark ? number : mark
}

/** When a change with this number was made, in milliseconds since the epoch; undefined where it is none. */
export function timeOf(number: string): number | undefined {
  const fields = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/.exec(number)
  if (fields === null) return undefined
  const [, year, month, day, hour, minute, second] = fields
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
}

/** A number five seconds before another: where an increment starts. Entries read twice do no harm. */
export function overlapBefore(number: string): string {
  const time = timeOf(number)
  if (time === undefined) return number
  const digits = new Date(time - OVERLAP).toISOString().slice(0, 19).replaceAll(/\D/g, '')
  return `${digits}.000000Z#000000#000#000000`
}
