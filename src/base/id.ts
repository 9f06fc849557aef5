import { randomInt } from 'node:crypto'

import type { Clock } from './clock.ts'

// Crockford's base 32: no I, L, O, U, so that an id survives being read out over the telephone.
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/**
 * A queue id: 16 characters of Crockford's base 32, nine of the time in milliseconds (good until the year 3084)
 * and seven of chance. Ids sort by time; the chance keeps two nodes from minting the same.
 */
export function newId(clock: Clock): string {
  let time = clock()
  let text = ''
  for (let i = 0; i < 9; i++) {
    text = DIGITS.charAt(time % 32) + text
    time = Math.floor(time / 32)
  }
  for (let i = 0; i < 7; i++) text += DIGITS.charAt(randomInt(32))
  return text
}

/** Whether a text has the shape of a queue id. */
export function isId(text: string): boolean {
  return /^[0-9A-HJKMNP-TV-Z]{16}$/.test(text)
}
