const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** A text as an nstring (RFC 3501 section 9): NIL, quoted, or a literal in UTF-8 where quoting will not do. */
export function nstring(text: string | undefined): string {
  if (text === undefined) return 'NIL'
  if (/^[\u0020-\u007e]*$/.test(text)) return `"${text.replaceAll(/["\\]/g, '\\$&')}"`
  const octets = Buffer.from(text).toString('latin1')
  return `{${octets.length}}\r\n${octets}`
}

/** INTERNALDATE: `"02-Jan-2026 03:04:05 +0000"`, whole seconds. */
export function dateTime(milliseconds: number): string {
  const [day, time] = new Date(milliseconds).toISOString().slice(0, 19).split('T')
  const [year, month, date] = (day ?? '').split('-')
  return `"${date}-${MONTHS[Number(month) - 1]}-${year} ${time} +0000"`
}

/** A date or date-time as clients write it, to milliseconds; NaN where it is none. */
export function parseDate(text: string): number {
  const match = /^\s?(\d{1,2})-([A-Za-z]{3})-(\d{4})(?: (\d{2}:\d{2}:\d{2}) ([+-]\d{4}))?$/.exec(
    text,
  )
  if (!match) return Number.NaN
  const [, date, month, year, time = '00:00:00', zone = '+0000'] = match
  return Date.parse(`${date} ${month} ${year} ${time} ${zone}`)
}

/** Whether a number is in a sequence-set such as `1:3,7,9:*` (RFC 3501 section 9). */
export function inSet(set: string, number: number, largest: number): boolean {
  return set.split(',').some(range => {
    const [first, last = first] = range.split(':').map(end => (end === '*' ? largest : Number(end)))
    if (first === undefined || last === undefined) return false
    // Section 6.4.8: 9:* includes the last message even where it is below 9, since the ends may be swapped.
    return number >= Math.min(first, last) && number <= Math.max(first, last)
  })
}
