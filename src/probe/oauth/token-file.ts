import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { chown, mkdir, readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

import { writeAtomically } from '../../base/atomic-file.ts'
import { codeOf, messageOf, Problem } from '../../base/problem.ts'
import { Secret } from '../../base/secret.ts'

/** The sign-in of one seed, as it is kept. */
export interface StoredToken {
  readonly refreshToken: Secret
  readonly accessToken: Secret
  /** When the access token ends, milliseconds since the epoch. */
  readonly accessUntil: number
  /** When a person signed in. */
  readonly signedInAt: number
  /** When the refresh token was last used, which is from when its own life counts. */
  readonly refreshedAt: number
}

const CIPHER = 'aes-256-gcm'

interface Sealed {
  readonly sealed: typeof CIPHER
  readonly nonce: string
  readonly tag: string
  readonly data: string
}

/**
 * The file that holds the token of one seed: mode 0600, replaced atomically, and encrypted where there is a key. Other
 * processes may write it too (`seed login`), so it is read anew each time.
 */
export class TokenFile {
  readonly path: string
  readonly #seed: string
  readonly #key: Uint8Array | undefined

  constructor(path: string, seed: string, key: Secret | undefined) {
    this.path = path
    this.#seed = seed
    this.#key =
      key && new Uint8Array(hkdfSync('sha256', key.reveal(), '', 'mailcanary seed token v1', 32))
  }

  /**
   * @returns undefined where nobody has signed in yet
   * @throws Problem if the file is somebody else's, damaged, or was encrypted with another key
   */
  async read(): Promise<StoredToken | undefined> {
    let text: string
    try {
      const { mode } = await stat(this.path)
      if ((mode & 0o077) !== 0) {
        throw new Problem(`${this.path} may be read by others: chmod 600 ${this.path}`)
      }
      text = await readFile(this.path, 'utf8')
    } catch (error) {
      if (error instanceof Problem) throw error
      if (codeOf(error) === 'ENOENT') return undefined
      throw new Problem(`${this.path} cannot be read: ${messageOf(error)}`)
    }
    const plain = this.#open(text)
    const stored = tokenOf(plain)
    if (stored === undefined) throw this.#damaged()
    return stored
  }

  /** The new token is durable when this resolves: only then may the old one be forgotten. */
  async write(token: StoredToken): Promise<void> {
    const plain = JSON.stringify({
      ...token,
      refreshToken: token.refreshToken.reveal(),
      accessToken: token.accessToken.reveal(),
    })
    const folder = dirname(this.path)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeAtomically(this.path, `${this.#seal(plain)}\n`)
    if (process.getuid?.() === 0) {
      // Signed in by root, used by the daemon: whose the state folder is, his is the token.
      const { uid, gid } = await stat(folder)
      await chown(this.path, uid, gid)
    }
  }

  #seal(plain: string): string {
    if (this.#key === undefined) return plain
    const nonce = randomBytes(12)
    const cipher = createCipheriv(CIPHER, this.#key, nonce)
    // The name is bound in: the file of one seed is no file of another.
    cipher.setAAD(Buffer.from(this.#seed))
    const data = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
    const sealed: Sealed = {
      sealed: CIPHER,
      nonce: nonce.toString('base64'),
      tag: cipher.getAuthTag().toString('base64'),
      data: data.toString('base64'),
    }
    return JSON.stringify(sealed)
  }

  #open(text: string): string {
    const sealed = parse(text) as Partial<Sealed> | undefined
    if (sealed?.sealed === undefined) {
      if (this.#key === undefined || sealed === undefined) return text
      throw new Problem(
        `${this.path} is not encrypted, and oauth.token_key_file is configured: sign in again with mailcanary seed login ${this.#seed}`,
      )
    }
    if (this.#key === undefined) {
      throw new Problem(`${this.path} is encrypted: configure oauth.token_key_file`)
    }
    try {
      const { nonce = '', tag = '', data = '' } = sealed
      const decipher = createDecipheriv(CIPHER, this.#key, Buffer.from(nonce, 'base64'), {
        authTagLength: 16,
      })
      decipher.setAAD(Buffer.from(this.#seed))
      decipher.setAuthTag(Buffer.from(tag, 'base64'))
      const plain = Buffer.concat([decipher.update(Buffer.from(data, 'base64')), decipher.final()])
      return plain.toString('utf8')
    } catch {
      throw new Problem(
        `${this.path} was encrypted with another key, or is damaged: restore the key, or sign in again with mailcanary seed login ${this.#seed}`,
      )
    }
  }

  #damaged(): Problem {
    return new Problem(
      `${this.path} holds no token: sign in again with mailcanary seed login ${this.#seed}`,
    )
  }
}

function tokenOf(text: string): StoredToken | undefined {
  const found = parse(text)
  if (found === undefined) return undefined
  const { refreshToken, accessToken, accessUntil, signedInAt, refreshedAt } = found
  if (typeof refreshToken !== 'string' || typeof accessToken !== 'string') return undefined
  const times = [accessUntil, signedInAt, refreshedAt].map(Number)
  if (!times.every(Number.isFinite)) return undefined
  const [until = 0, signed = 0, refreshed = 0] = times
  return {
    refreshToken: new Secret(refreshToken),
    accessToken: new Secret(accessToken),
    accessUntil: until,
    signedInAt: signed,
    refreshedAt: refreshed,
  }
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null
      ? (value as Readonly<Record<string, unknown>>)
      : undefined
  } catch {
    return undefined
  }
}
