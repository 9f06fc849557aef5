import { createHmac, timingSafeEqual } from 'node:crypto'

import { isId } from '../base/id.ts'
import { type HeaderField, valuesOf } from '../mail/headers.ts'

/*
 * A token is `ID-MAC`: the canary's id, and 80 bits of HMAC-SHA256 over it (RFC 2104 section 5 allows no less), both
 * in Crockford's base 32. Whoever can write to a seed account can forge a message, but not this: a canary counts only
 * if its token was made with our key.
 */

const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const MAC_BYTES = 10
const PURPOSE = 'mailcanary canary v1\n'
const TOKEN = /(?<![0-9A-Z])([0-9A-HJKMNP-TV-Z]{16})-([0-9A-HJKMNP-TV-Z]{16})(?![0-9A-Z])/gi
/** More candidates than this in one header section are not ours. */
const MAX_CANDIDATES = 8

/**
 * The field that carries the token beside Message-ID, which some origins replace by their own (Exchange, SES). Its
 * name says nothing of canaries, lest a filter treat them in a way of their own.
 */
export const TOKEN_FIELD = 'X-Reference'

const SEARCHED = ['message-id', TOKEN_FIELD.toLowerCase(), 'subject'] as const

/** What the header of a message says of itself. */
export type TokenFinding =
  | { readonly kind: 'none' }
  /** In our shape, but not made with our key. */
  | { readonly kind: 'forged' }
  | { readonly kind: 'genuine'; readonly token: string; readonly id: string }

/**
 * The token of a canary: 33 characters that are safe in a Message-ID, a URL and a file name.
 *
 * @param id a canary id as `newId` gives it
 */
export function mintToken(id: string, key: Uint8Array): string {
  return `${id}-${macOf(id, key)}`
}

/** @returns the canary id, or undefined if the token was not made with this key */
export function verifyToken(token: string, key: Uint8Array): string | undefined {
  // Some hosts change the case of a Message-ID; base 32 does not mind.
  const [id = '', mac = '', ...rest] = token.toUpperCase().split('-')
  if (rest.length > 0 || !isId(id)) return undefined
  const expected = Buffer.from(macOf(id, key))
  const given = Buffer.from(mac)
  return given.length === expected.length && timingSafeEqual(given, expected) ? id : undefined
}

/** @returns the id of the first genuine token in these fields, in the order of their names */
export function verifiedIn(
  fields: readonly HeaderField[],
  names: readonly string[],
  key: Uint8Array,
): string | undefined {
  for (const value of names.flatMap(name => valuesOf(fields, name)).slice(0, MAX_CANDIDATES)) {
    for (const [candidate] of value.matchAll(TOKEN)) {
      const id = verifyToken(candidate, key)
      if (id !== undefined) return id
    }
  }
  return undefined
}

/** Looks for a token in Message-ID, in its own field and in Subject: any one is enough. */
export function findToken(fields: readonly HeaderField[], key: Uint8Array): TokenFinding {
  let forged = false
  let candidates = 0
  for (const name of SEARCHED) {
    for (const value of valuesOf(fields, name)) {
      for (const [candidate] of value.matchAll(TOKEN)) {
        const id = verifyToken(candidate, key)
        if (id !== undefined) return { kind: 'genuine', token: candidate.toUpperCase(), id }
        forged = true
        candidates++
        if (candidates >= MAX_CANDIDATES) return { kind: 'forged' }
      }
    }
  }
  return { kind: forged ? 'forged' : 'none' }
}

/**
 * When an id was made: its first nine characters are the time.
 *
 * @returns milliseconds since the epoch
 */
export function mintedAt(id: string): number {
  let time = 0
  for (const digit of id.slice(0, 9)) time = time * 32 + DIGITS.indexOf(digit)
  return time
}

function macOf(id: string, key: Uint8Array): string {
  const digest = createHmac('sha256', key).update(PURPOSE).update(id).digest()
  let bits = 0n
  for (const byte of digest.subarray(0, MAC_BYTES)) bits = (bits << 8n) | BigInt(byte)
  let text = ''
  for (let i = 0; i < (MAC_BYTES * 8) / 5; i++) {
    text = DIGITS.charAt(Number(bits & 31n)) + text
    bits >>= 5n
  }
  return text
}
