import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'

// 2^64 addresses until two of them are likely to look the same.
const OCTETS = 16

/**
 * Names recipients without keeping their addresses: by an HMAC under a key that is kept beside the queue, not in it.
 * It takes the login in, so that nobody can see whether two logins write to the same person.
 */
export class RecipientDigests {
  // Made once: out of octets each HMAC would make it anew, which costs four times the HMAC.
  readonly #key: KeyObject

  /** @param key at least 32 octets, the same after a restart: under another one everybody is new */
  constructor(key: Uint8Array) {
    this.#key = createSecretKey(key)
  }

  of(login: string, address: string): Buffer {
    return createHmac('sha256', this.#key)
      .update(`${login}\0${address.toLowerCase()}`)
      .digest()
      .subarray(0, OCTETS)
  }
}
