import type { BodyWriter } from '../store.ts'
import { BodyFileWriter } from './body-file-writer.ts'
import { FILE_PIECE, SMALL_BODY, type BodyFile } from './body-file.ts'
import type { BodyFolder } from './body-folder.ts'

// Content that comes octet by octet must not cost a Buffer an octet.
const MOST_PIECES = 64

/** A body on its way in: in memory while it is small, and in a file from there on. One write at a time. */
export class GrowingBody implements BodyWriter {
  readonly #folder: BodyFolder
  #pieces: Uint8Array[] = []
  #buffered = 0
  #size = 0
  #file: BodyFileWriter | undefined
  /** What is being done to the file. */
  #work: Promise<unknown> | undefined
  #failure: Error | undefined
  #sealed = false

  constructor(folder: BodyFolder) {
    this.#folder = folder
  }

  get size(): number {
    return this.#size
  }

  /** Whether it is more than what is kept in memory. */
  get large(): boolean {
    return this.#file !== undefined
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    this.#pieces.push(chunk)
    this.#buffered += chunk.byteLength
    this.#size += chunk.byteLength
    const kept = this.#file === undefined ? SMALL_BODY : FILE_PIECE
    if (this.#buffered > kept) return this.#do(async () => void (await this.#spill()))
    if (this.#pieces.length > MOST_PIECES) this.#pieces = [Buffer.concat(this.#pieces)]
    return undefined
  }

  /** All of a body that is not large, in the pieces it came in. */
  pieces(): readonly Uint8Array[] {
    if (this.#failure !== undefined) throw this.#failure
    return this.#pieces
  }

  /** The file of a large one, when it is on the disk. It is the caller's from then on, and `abort` leaves it alone. */
  seal(): Promise<BodyFile> {
    return this.#do(async () => {
      const file = await this.#spill()
      const sealed = await file.finish()
      if (this.#failure !== undefined) throw this.#failure
      this.#sealed = true
      return sealed
    })
  }

  async abort(): Promise<void> {
    this.#pieces = []
    this.#failure = new Error('this body was aborted')
    // A file that is being made now has to be there to be removed.
    await this.#work?.catch(() => undefined)
    if (!this.#sealed) await this.#file?.discard()
  }

  async #spill(): Promise<BodyFileWriter> {
    this.#file ??= await BodyFileWriter.create(this.#folder)
    const pieces = this.#pieces
    this.#pieces = []
    this.#buffered = 0
    await this.#file.write(pieces)
    return this.#file
  }

  /** A body with a hole must never become a message, even if the caller overlooks the failed write. */
  async #do<T>(work: () => Promise<T>): Promise<T> {
    if (this.#failure !== undefined) throw this.#failure
    const doing = work()
    this.#work = doing
    try {
      return await doing
    } catch (error) {
      this.#failure ??= new Error('a part of this body was not stored', { cause: error })
      throw error
    }
  }
}
