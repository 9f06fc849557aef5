import type { CipherGCM } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'

import { cipherOf, newFileNames, type BodyFile } from './body-file.ts'
import type { BodyFolder } from './body-folder.ts'
import { translateFile } from './failure.ts'

/** Writes one file, encrypted. One call at a time. */
export class BodyFileWriter {
  readonly #folder: BodyFolder
  readonly #names: Pick<BodyFile, 'name' | 'key'>
  readonly #handle: FileHandle
  readonly #cipher: CipherGCM
  #size = 0

  private constructor(
    folder: BodyFolder,
    names: Pick<BodyFile, 'name' | 'key'>,
    handle: FileHandle,
  ) {
    this.#folder = folder
    this.#names = names
    this.#handle = handle
    this.#cipher = cipherOf(names.key)
  }

  /** @throws StoreUnavailable, as all other methods but `discard` do */
  static async create(folder: BodyFolder): Promise<BodyFileWriter> {
    const names = newFileNames()
    try {
      const handle = await open(folder.file(names.name), 'wx', 0o600)
      return new BodyFileWriter(folder, names, handle)
    } catch (error) {
      throw translateFile(error)
    }
  }

  async write(pieces: readonly Uint8Array[]): Promise<void> {
    let rest: readonly Uint8Array[] = pieces.map(piece => this.#cipher.update(piece))
    try {
      while (rest.length > 0) {
        const { bytesWritten } = await this.#handle.writev(rest)
        this.#size += bytesWritten
        rest = behind(rest, bytesWritten)
      }
    } catch (error) {
      throw translateFile(error)
    }
  }

  /**
   * Resolves when a power loss cannot take it any more: content first, then its name. Whoever then commits the row that
   * names it has a body.
   */
  async finish(): Promise<BodyFile> {
    this.#cipher.final()
    try {
      await this.#handle.datasync()
      await this.#handle.close()
      await this.#folder.sync()
    } catch (error) {
      throw translateFile(error)
    }
    return { ...this.#names, tag: this.#cipher.getAuthTag(), size: this.#size }
  }

  /** It will not become a body. Never throws: what cannot be removed now is when the store is swept. */
  async discard(): Promise<void> {
    await this.#handle.close().catch(() => undefined)
    await this.#folder.remove(this.#names.name).catch(() => undefined)
  }
}

/** What is left of pieces when so many octets have been written. */
function behind(pieces: readonly Uint8Array[], written: number): readonly Uint8Array[] {
  let left = written
  const rest: Uint8Array[] = []
  for (const piece of pieces) {
    if (left < piece.length) rest.push(piece.subarray(left))
    left = Math.max(left - piece.length, 0)
  }
  return rest
}
