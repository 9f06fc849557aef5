import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { CipherGCM, DecipherGCM } from 'node:crypto'

/*
 * A large body is a file of its own: written once, while it comes in, by the thread that it comes in to. In rows of the
 * database it would be written to the log, copied to its place, and overwritten there.
 *
 * "Deleted content is gone" must hold for it too. To overwrite a file costs as many writes and another sync, and promises
 * nothing: file systems and disks may put the zeros elsewhere. So each file is encrypted with a key of its own, which stands
 * in the row of the database that makes it a body and nowhere else. What deletes the content is the end of that row
 * (`secure_delete`); the file is only removed. It costs a third of a millisecond for each MiB, and brings with it that a file
 * which is not what was written is noticed before its message has gone out.
 */

/** A body that is whole and on the disk. Data: it can be told to another thread. */
export interface BodyFile {
  /** Of the file in its folder. */
  readonly name: string
  /** Without it nobody can read the file. */
  readonly key: Uint8Array
  /** What is known of the content at its end; GCM's. */
  readonly tag: Uint8Array
  /** Octets of the body, and of the file. */
  readonly size: number
}

/** Content that is whole: in memory, or in a file. */
export type BodyContent = Uint8Array | BodyFile

/** In octets. */
export function sizeOf(content: BodyContent): number {
  return 'name' in content ? content.size : content.byteLength
}

/** Octets of a body that are in memory before it becomes a file. Bodies that have no more never do. */
export const SMALL_BODY = 131_072

/**
 * Octets of a file that are written or read at once, since each time a thread of the pool has to be woken, and wakes us; so many
 * of a body are in memory at most.
 */
export const FILE_PIECE = 262_144

const CIPHER = 'aes-256-gcm'
const KEY = 32
// A key is used for one file, so that nothing has to be different from one time to the next.
const NO_NONCE = Buffer.alloc(12)

export const FILE_NAME = /^[0-9a-f]{32}$/

/** The name of a new file, and its key. */
export function newFileNames(): Pick<BodyFile, 'name' | 'key'> {
  return { name: randomBytes(16).toString('hex'), key: randomBytes(KEY) }
}

export function cipherOf(key: Uint8Array): CipherGCM {
  return createCipheriv(CIPHER, key, NO_NONCE)
}

/** Its `final` throws where the file is not what was written. */
export function decipherOf({ key, tag }: BodyFile): DecipherGCM {
  return createDecipheriv(CIPHER, key, NO_NONCE).setAuthTag(tag)
}
