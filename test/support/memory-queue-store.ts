import {
  StoreUnavailable,
  type BodyWriter,
  type NewMessage,
  type QueueStore,
} from '../../src/relay/queue/store.ts'

export interface KeptMessage {
  readonly message: NewMessage
  readonly body: Buffer
}

/**
 * The half of a queue store that takes messages in, in memory, with handles for tests: commits can be held back,
 * and fail.
 */
export class MemoryQueueStore implements Pick<QueueStore, 'newBody' | 'put'> {
  readonly messages: KeptMessage[] = []
  /** Bodies that were begun and are neither stored nor aborted. */
  readonly open = new Set<BodyWriter>()
  #failure: StoreUnavailable | undefined
  #held: Promise<void> | undefined
  readonly #bodies = new Map<BodyWriter, Buffer[]>()

  newBody(): BodyWriter {
    if (this.#failure) throw this.#failure
    const chunks: Buffer[] = []
    const writer: BodyWriter = {
      write: chunk => {
        if (this.#failure) return Promise.reject(this.#failure)
        chunks.push(Buffer.from(chunk))
        return Promise.resolve()
      },
      abort: () => {
        this.#bodies.delete(writer)
        this.open.delete(writer)
        return Promise.resolve()
      },
    }
    this.#bodies.set(writer, chunks)
    this.open.add(writer)
    return writer
  }

  async put(message: NewMessage, body: BodyWriter): Promise<void> {
    await this.#held
    if (this.#failure) throw this.#failure
    const chunks = this.#bodies.get(body)
    if (chunks === undefined) throw new Error('this body is not open')
    await body.abort()
    this.messages.push({ message, body: Buffer.concat(chunks) })
  }

  /** From here on every call fails. Without an argument all is well again. */
  fail(failure?: { readonly full: boolean }): void {
    this.#failure = failure && new StoreUnavailable('told to fail', failure)
  }

  /** Keeps commits back. @returns what lets them go */
  hold(): () => void {
    let release = (): void => undefined
    this.#held = new Promise(resolve => {
      release = () => {
        this.#held = undefined
        resolve()
      }
    })
    return release
  }

  /** The only message there is. */
  get only(): KeptMessage {
    const [first, ...more] = this.messages
    if (first === undefined || more.length > 0) {
      throw new Error(`there are ${this.messages.length} messages, not one`)
    }
    return first
  }
}
