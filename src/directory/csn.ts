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

/** A number five seconds before another: where an increment starts. Entries read twice do no harm. */
export function overlapBefore(number: string): string {
  const fields = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/.exec(number)
  if (fields === null) return number
  const [, year, month, day, hour, minute, second] = fields
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) - OVERLAP
  const digits = new Date(time).toISOString().slice(0, 19).replaceAll(/\D/g, '')
  return `${digits}.000000Z#000000#000#000000`
}
