import { randomBytes, randomInt } from 'node:crypto'

import type { Part } from '../../base/lifecycle.ts'
import { Libcrypt } from './libcrypt.ts'

/** Schemes in which a new password is written: crypt(3) of every current Linux verifies them. */
export const MADE_SCHEMES = ['sha512-crypt', 'yescrypt', 'bcrypt'] as const
export type MadeScheme = (typeof MADE_SCHEMES)[number]

const CRYPT64 = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
// The 22nd digit of 128 bits has two of its six.
const BCRYPT_LAST = '.Oeu'

/** Makes the hashes of new passwords, off the event loop. The password goes to a thread and nowhere else. */
export class PasswordMaker implements Part {
  readonly name = 'password hashes'
  readonly scheme: MadeScheme
  readonly #libcrypt = new Libcrypt()

  constructor(scheme: MadeScheme) {
    this.scheme = scheme
  }

  /** @throws nothing: where the scheme is not to be had, `make` says so */
  start(): Promise<void> {
    return this.#libcrypt.start()
  }

  stop(): Promise<void> {
    return this.#libcrypt.stop()
  }

  /**
   * The value to store, `{crypt}$6$...`: RFC 2307 section 5.3, which slapd and Dovecot read as well as we.
   *
   * @returns undefined where this host cannot make it, and then nothing may be stored
   */
  async make(password: string): Promise<string | undefined> {
    if (!this.#libcrypt.schemes.has(this.scheme)) return undefined
    const hash = await this.#libcrypt.make(password, settingOf(this.scheme))
    return hash === undefined ? undefined : `{crypt}${hash}`
  }
}

/** Octets of a password that a scheme looks at: bcrypt ignores the rest, and libcrypt refuses more than 512. */
export function longestFor(scheme: MadeScheme): number {
  return scheme === 'bcrypt' ? 72 : 511
}

function settingOf(scheme: MadeScheme): string {
  switch (scheme) {
    case 'sha512-crypt':
      // 5000 rounds, as everything else in the directory has: another cost would tell by time who has changed it here.
      return `$6$${digits(16)}$`
    case 'yescrypt':
      // libcrypt's default cost; 18 octets of salt are 24 whole digits.
      return `$y$j9T$${digits(24)}$`
    case 'bcrypt':
      return `$2b$12$${digits(21)}${BCRYPT_LAST.charAt(randomInt(BCRYPT_LAST.length))}`
  }
}

function digits(length: number): string {
  return Array.from(randomBytes(length), octet => CRYPT64.charAt(octet % 64)).join('')
}
