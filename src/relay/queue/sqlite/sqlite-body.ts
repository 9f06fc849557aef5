import type { BodyContent } from '../body-files/body-file.ts'
import type { BodyFolder } from '../body-files/body-folder.ts'
import { GrowingBody } from '../body-files/growing-body.ts'
import type { BodyWriter } from '../store.ts'

/** A body that is to be put: on its way in, or whole. */
export class SqliteBody implements BodyWriter {
  readonly #growing: GrowingBody
  #content: BodyContent | undefined
  #aborted = false
  /** Removes a file that no message has. */
  readonly #discard: (name: string) => Promise<void>

  constructor(folder: BodyFolder, discard: (name: string) => Promise<void>, whole?: BodyContent) {
    this.#growing = new GrowingBody(folder)
    this.#discard = discard
    this.#content = whole
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    return this.#growing.write(chunk)
  }

  /** To be called before `content` is: a large body has to be on the disk. Undefined where there is nothing to wait for. */
  prepare(): Promise<void> | undefined {
    return this.#content === undefined && this.#growing.large ? this.#seal() : undefined
  }

  /** For the transaction of `put`. @throws if it is not whole */
  get content(): BodyContent {
    if (this.#aborted) throw new Error('this body was aborted')
    return this.#content ?? joined(this.#growing.pieces())
  }

  async abort(): Promise<void> {
    this.#aborted = true
    await this.#growing.abort()
    if (this.#content !== undefined && 'name' in this.#content) {
      await this.#discard(this.#content.name)
    }
  }

  async #seal(): Promise<void> {
    this.#content = await this.#growing.seal()
  }
}

/** Not copied where there is but one: memory outside of the heap is what calls the collector. */
function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [first, ...more] = pieces
  return first !== undefined && more.length === 0 ? first : Buffer.concat(pieces)
}
