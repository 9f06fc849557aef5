import { createHash, pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

import { verify as verifyArgon2 } from '@node-rs/argon2'

import type { Libcrypt } from './libcrypt.ts'
import type { StoredPassword } from './scheme.ts'

const derive = promisify(pbkdf2)

/** `unusable` is our own trouble: the means to verify this scheme are missing or failed. */
export type CheckResult = 'match' | 'mismatch' | 'unusable'

/** Compares one password with one stored password, once, off the event loop where it takes long. Never throws. */
export async function checkPassword(
  password: string,
  stored: StoredPassword,
  libcrypt: Libcrypt,
): Promise<CheckResult> {
  try {
    switch (stored.kind) {
      case 'crypt':
        if (!libcrypt.schemes.has(stored.scheme)) return 'unusable'
        return await libcrypt.verify(password, stored.hash)
      case 'argon2':
        return (await verifyArgon2(stored.hash, password)) ? 'match' : 'mismatch'
      case 'digest':
        return equal(
          stored.digest,
          createHash(stored.algorithm).update(password).update(stored.salt).digest(),
        )
      case 'pbkdf2':
        return equal(
          stored.digest,
          await derive(
            password,
            stored.salt,
            stored.iterations,
            stored.digest.length,
            stored.algorithm,
          ),
        )
    }
  } catch {
    // Out of memory, out of threads: nothing that says anything about the password.
    return 'unusable'
  }
}

function equal(one: Buffer, other: Buffer): CheckResult {
  return one.length === other.length && timingSafeEqual(one, other) ? 'match' : 'mismatch'
}
