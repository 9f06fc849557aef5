import type { CipherGCM } from 'node:crypto'
import { closeSync, fdatasync, open, writev } from 'node:fs'
import { promisify } from 'node:util'

import { cipherOf, newFileNames, type BodyFile } from './body-file.ts'
import type { BodyFolder } from './body-folder.ts'
import { translateFile } from './failure.ts'

/*
 * What may wait for the disk is done by threads of libuv, also the writes: where a journal is being committed they wait too. To
 * hand over to such a thread costs as much as to write 64 KiB, so what never waits is done here.
 */
const opened = promisify(open)
const synced = promisify(fdatasync)
const written = promisify(writev)

/** Writes one file, encrypted. One call at a time. */
export class BodyFileWriter {
  readonly #folder: BodyFolder
  readonly #names: Pick<BodyFile, 'name' | 'key'>
  #file: number | undefined
  readonly #cipher: CipherGCM
  #size = 0

  private constructor(folder: BodyFolder, names: Pick<BodyFile, 'name' | 'key'>, file: number) {
    this.#folder = folder
    this.#names = names
    this.#file = file
    this.#cipher = cipherOf(names.key)
  }

  /** @throws StoreUnavailable, as all other methods but `discard` do */
  static async create(folder: BodyFolder): Promise<BodyFileWriter> {
    const names = newFileNames()
    try {
      return new BodyFileWriter(folder, names, await opened(folder.file(names.name), 'wx', 0o600))
    } catch (error) {
      throw translateFile(error)
    }
  }

  async write(pieces: readonly Uint8Array[]): Promise<void> {
    const file = this.#open()
    let rest: readonly Uint8Array[] = pieces.map(piece => this.#cipher.update(piece))
    try {
      while (rest.length > 0) {
        const { bytesWritten } = await written(file, rest)
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
    const file = this.#open()
    this.#cipher.final()
    try {
      await synced(file)
      this.#close()
      await this.#folder.sync()
    } catch (error) {
      throw translateFile(error)
    }
    return { ...this.#names, tag: this.#cipher.getAuthTag(), size: this.#size }
  }

  /** It will not become a body. Never throws: what cannot be removed now is when the store is swept. */
  async discard(): Promise<void> {
    this.#close()
    await this.#folder.remove(this.#names.name).catch(() => undefined)
  }

  #open(): number {
    if (this.#file === undefined) throw new Error('this file is closed')
    return this.#file
  }

  #close(): void {
    const file = this.#file
    this.#file = undefined
    if (file !== undefined) closeSync(file)
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
