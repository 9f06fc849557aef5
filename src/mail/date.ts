import { MINUTE } from '../base/clock.ts'

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

// RFC 5322 section 4.3, minutes; military letters are of unknown meaning there, and so is a name not listed: -0000.
const ZONES: ReadonlyMap<string, number> = new Map([
  ['EDT', -240],
  ['EST', -300],
  ['CDT', -300],
  ['CST', -360],
  ['MDT', -360],
  ['MST', -420],
  ['PDT', -420],
  ['PST', -480],
])

const DATE =
  /^(?:[A-Za-z]{3}\s*,)?\s*(\d{1,2})\s+([A-Za-z]{3})\s+(\d{2,4})\s+(\d{1,2})\s*:\s*(\d{2})(?:\s*:\s*(\d{2}))?\s*([+-]\d{4}|[A-Za-z]{1,5})?$/

/**
 * Writes a date-time of RFC 5322 section 3.3: `Mon, 23 Nov 2026 22:14:40 +0000`.
 *
 * @param at milliseconds since the epoch
 */
export function formatDate(at: number): string {
  const date = new Date(at)
  const two = (n: number): string => String(n).padStart(2, '0')
  const day = `${DAYS[date.getUTCDay()]}, ${two(date.getUTCDate())} ${MONTHS[date.getUTCMonth()]}`
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':')
  return `${day} ${String(date.getUTCFullYear()).padStart(4, '0')} ${time} +0000`
}

/**
 * Reads a date-time with its obsolete forms: comments, two-digit years, no seconds, zones by name (RFC 5322 section
 * 4.3). The day of the week is not compared with the date.
 *
 * @returns milliseconds since the epoch, or undefined if the text is no date
 */
export function parseDate(text: string): number | undefined {
  if (text.length > 200) return undefined
  const match = DATE.exec(text.replaceAll(/\([^()]*\)/g, ' ').trim())
  if (!match) return undefined
  const [, day, monthName, yearText, hour, minute, second, zone] = match
  const month = MONTHS.findIndex(name => name.toLowerCase() === monthName?.toLowerCase())
  const year = fullYear(yearText ?? '')
  const parts = [Number(hour), Number(minute), Number(second ?? 0)] as const
  if (month < 0 || parts[0] > 23 || parts[1] > 59 || parts[2] > 60) return undefined
  const midnight = new Date(Date.UTC(year, month, Number(day)))
  // The 31st of April would silently be the 1st of May.
  if (midnight.getUTCMonth() !== month || midnight.getUTCDate() !== Number(day)) return undefined
  const offset = zoneOffset(zone ?? '')
  if (offset === undefined) return undefined
  const seconds = (parts[0] * 60 + parts[1]) * 60 + parts[2]
  return midnight.getTime() + seconds * 1_000 - offset * MINUTE
}

/** RFC 5322 section 4.3: two digits are 2000 to 2049 or 1950 to 1999, three digits count from 1900. */
function fullYear(text: string): number {
  const year = Number(text)
  if (text.length === 2) return year < 50 ? 2000 + year : 1900 + year
  return text.length === 3 ? 1900 + year : year
}

function zoneOffset(zone: string): number | undefined {
  const match = /^([+-])(\d\d)(\d\d)$/.exec(zone)
  if (!match) return ZONES.get(zone.toUpperCase()) ?? 0
  if (Number(match[3]) > 59) return undefined
  const minutes = Number(match[2]) * 60 + Number(match[3])
  return match[1] === '-' ? -minutes : minutes
}
