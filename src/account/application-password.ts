import { createHash, randomInt } from 'node:crypto'

import { Secret } from '../base/secret.ts'

/** A password that we made for one program of one person. Itself it is kept nowhere. */
export interface ApplicationPassword {
  /** Names it in the page and in the store; says nothing of it. */
  readonly id: string
  readonly login: string
  /** entryUUID of the account it was made for: who gets the same login later has another. */
  readonly account: string
  /** What its owner calls it: `laptop`, `backup script`. */
  readonly name: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  /** To the hour, for that is how often it is written down; undefined before the first login with it. */
  readonly usedAt: number | undefined
}

/** Of one login at the same time: a row for each program that sends mail. */
export const MOST_PER_LOGIN = 20
export const LONGEST_NAME = 40

// Crockford's digits in small letters, as in ids: what is read out or typed off cannot be mistaken.
const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz'
const PREFIX = 'mc'
// 120 bits. So the digest may be a fast one: nobody can guess, with or without it.
const LENGTH = 24
const GROUP = 4
const SHAPE = new RegExp(`^${PREFIX}[${DIGITS}]{${LENGTH}}$`)

/** @returns `mc-7k2f-...`, six groups of four */
export function newApplicationPassword(): Secret {
  return new Secret([PREFIX, ...groups(LENGTH)].join('-'))
}

/** A mail password for who wants none of their own: five groups, 100 bits, and not of the shape above. */
export function newMailPassword(): Secret {
  return new Secret(groups(20).join('-'))
}

/**
 * What a login shows, if it can be an application password at all: a look at its shape is all that the password of
 * everybody else costs. Dashes, spaces and case do not matter.
 */
export function plainForm(password: string): string | undefined {
  if (password.length > 64) return undefined
  const plain = password.toLowerCase().replaceAll(/[- ]/g, '')
  return SHAPE.test(plain) ? plain : undefined
}

/** What is stored. The login is in it, so that a row that is moved to somebody else lets nobody in. */
export function digestOf(login: string, plain: string): Buffer {
  return createHash('sha256').update(`${login}\0${plain}`).digest()
}

function groups(length: number): string[] {
  return Array.from({ length: length / GROUP }, () =>
    Array.from({ length: GROUP }, () => DIGITS.charAt(randomInt(32))).join(''),
  )
}
