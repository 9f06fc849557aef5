import type { Reply } from './reply.ts'

/**
 * Whether a host has only asked to come again, as it asks every sender it does not know (RFC 6647): mail that waits for
 * this is neither lost nor refused. Most name it; rspamd and some others say these words alone.
 */
export function isGreylisting(reply: Reply): boolean {
  if (reply.code < 400 || reply.code > 499) return false
  if (/gr[ae]y-?list/i.test(reply.text)) return true
  // 421 closes the connection, and is how the large providers say that they have something against a host.
  return [450, 451].includes(reply.code) && /^(?:please )?try again later\.?$/i.test(reply.text)
}
