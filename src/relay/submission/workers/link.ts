import type { MessagePort, Worker } from 'node:worker_threads'

import { messageOf, Problem } from '../../../base/problem.ts'
import { StoreUnavailable } from '../../queue/store.ts'

/** What one side of a link can be asked; arguments and answers are data. */
export type Calls<T> = { readonly [K in keyof T]: (...args: never[]) => unknown }

type Fault = { readonly name: string; readonly message: string; readonly full?: boolean }

type Item =
  /** Without `call` nobody waits for an answer. */
  | { readonly call?: number; readonly ask: string; readonly args: readonly unknown[] }
  | { readonly answer: number; readonly value: unknown }
  | { readonly answer: number; readonly fault: Fault }

interface Waiting {
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
}

/**
 * Questions and answers between two threads. All that is said in one turn of the event loop goes over as one message:
 * with fifty sessions at work a message costs less than what is in it.
 */
export class Link<Theirs extends Calls<Theirs>, Ours extends Calls<Ours>> {
  readonly #port: MessagePort | Worker
  readonly #serve: Ours
  readonly #waiting = new Map<number, Waiting>()
  #next = 0
  #outgoing: Item[] = []
  #transfer: ArrayBuffer[] = []

  /** @param serve answers what the other side asks */
  constructor(port: MessagePort | Worker, serve: Ours) {
    this.#port = port
    this.#serve = serve
    port.on('message', (items: readonly Item[]) => {
      for (const item of items) this.#take(item)
    })
  }

  /** Resolves with the answer, and rejects with what the other side threw. */
  ask<K extends keyof Theirs & string>(
    ask: K,
    ...args: Parameters<Theirs[K]>
  ): Promise<Awaited<ReturnType<Theirs[K]>>> {
    return new Promise((resolve, reject) => {
      const call = this.#next++
      this.#waiting.set(call, { resolve, reject })
      this.#send({ call, ask, args })
    })
  }

  tell<K extends keyof Theirs & string>(ask: K, ...args: Parameters<Theirs[K]>): void {
    this.#send({ ask, args })
  }

  /** Hands over the memory of what is told or asked in this turn, instead of a copy. The octets are gone here. */
  give(octets: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    this.#transfer.push(octets.buffer)
    return octets
  }

  /** The other side is gone: nothing is answered any more. */
  close(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }

  #send(item: Item): void {
    if (this.#outgoing.push(item) > 1) return
    setImmediate(() => {
      const [items, transfer] = [this.#outgoing, this.#transfer]
      this.#outgoing = []
      this.#transfer = []
      this.#port.postMessage(items, transfer)
    })
  }

  #take(item: Item): void {
    if ('ask' in item) {
      void this.#answer(item)
      return
    }
    const waiting = this.#waiting.get(item.answer)
    this.#waiting.delete(item.answer)
    if ('value' in item) waiting?.resolve(item.value as never)
    else waiting?.reject(errorOf(item.fault))
  }

  async #answer({ call, ask, args }: Extract<Item, { ask: string }>): Promise<void> {
    const serve = this.#serve[ask as keyof Ours] as (...args: never[]) => unknown
    try {
      const value = await serve(...(args as never[]))
      if (call !== undefined) this.#send({ answer: call, value })
    } catch (error) {
      // What is only told must not fail; a fault of ours then is one for all to see.
      if (call === undefined) throw error
      this.#send({ answer: call, fault: faultOf(error) })
    }
  }
}

// Classes do not survive the way between threads.
function faultOf(error: unknown): Fault {
  const message = messageOf(error)
  if (error instanceof StoreUnavailable) return { name: error.name, message, full: error.full }
  return { name: error instanceof Problem ? 'Problem' : 'Error', message }
}

function errorOf({ name, message, full }: Fault): Error {
  if (full !== undefined) return new StoreUnavailable(message, { full })
  return name === 'Problem' ? new Problem(message) : new Error(message)
}
