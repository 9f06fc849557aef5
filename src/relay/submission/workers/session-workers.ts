import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'

import { SECOND } from '../../../base/clock.ts'
import { messageOf } from '../../../base/problem.ts'
import type { ServerIdentities } from '../../../base/server-tls.ts'
import { listen, placeOf, type ListenerOptions, type Place } from '../listener.ts'
import type { Site } from '../site.ts'
import type { Notice, OwnerCalls, Shown, WorkerCalls, WorkerOptions } from './calls.ts'
import { Desk } from './desk.ts'
import { Link } from './link.ts'
import { countsMemory, SharedCounts, SharedTally, tallyMemory } from './shared.ts'

// How long what sessions are told of readiness and space may be old.
const NOTICE_EVERY = 100
// Of all threads together, and of one at least. Sessions live long and their garbage is small: by default it grows in each
// thread to what 300 sessions take, and stays. Half as much costs a collection twice as often, a twentieth of the time.
const YOUNG_MB = 12
const LEAST_YOUNG_MB = 6
const FIRST_PAUSE = 100
const LONGEST_PAUSE = 5 * SECOND
// A worker that has not ended this long after its grace is ended.
const PATIENCE = 2 * SECOND

interface Running {
  readonly link: Link<WorkerCalls, OwnerCalls>
  readonly worker: Worker
  readonly ended: Promise<void>
}

/**
 * Threads that share the ports and serve the sessions, so that TLS, parsing and policy use every core, while one
 * thread owns the store, the limits, the throttle of logins and the events. The kernel spreads the connections. A
 * worker that dies ends its own sessions and no others, and is started again.
 */
export class SessionWorkers {
  readonly #site: Site
  readonly #listeners: readonly ListenerOptions[]
  readonly #amount: number
  readonly #running = new Map<number, Running>()
  readonly #counts: SharedArrayBuffer
  readonly #tally: SharedArrayBuffer
  readonly #seed = randomInt(2 ** 32)
  #identities: ServerIdentities
  #places: readonly Place[] = []
  #notice: Notice
  #noticing: NodeJS.Timeout | undefined
  #stopping = false

  /** @param site the owner's: everything but what is counted by session */
  constructor(
    amount: number,
    listeners: readonly ListenerOptions[],
    identities: ServerIdentities,
    site: Site,
  ) {
    this.#amount = amount
    this.#listeners = listeners
    this.#identities = identities
    this.#site = site
    this.#counts = countsMemory(amount)
    this.#tally = tallyMemory(amount)
    this.#notice = this.#look()
  }

  get places(): readonly Place[] {
    return this.#running.size === 0 ? [] : this.#places
  }

  /** @throws Problem where a port cannot be had */
  async open(): Promise<void> {
    this.#places = await reserve(this.#listeners)
    this.#notice = this.#look()
    this.#noticing = setInterval(() => this.#tellNotice(), NOTICE_EVERY).unref()
    try {
      await Promise.all(Array.from({ length: this.#amount }, (_, place) => this.#start(place)))
    } catch (error) {
      await this.shutDown(0)
      throw error
    }
  }

  async shutDown(grace: number): Promise<void> {
    this.#stopping = true
    clearInterval(this.#noticing)
    await Promise.all([...this.#running.values()].map(running => end(running, grace)))
  }

  useIdentities(identities: ServerIdentities): void {
    this.#identities = identities
    for (const { link } of this.#running.values()) {
      link.tell('useIdentities', shownOf(identities))
    }
  }

  async #start(place: number): Promise<void> {
    const desk = new Desk(this.#site)
    const options: WorkerOptions = {
      place,
      // Ports that the kernel has chosen are the same for all.
      listeners: this.#listeners.map((listener, i) => {
        return { ...listener, port: this.#places[i]?.port ?? listener.port }
      }),
      identities: shownOf(this.#identities),
      rules: {
        hostname: this.#site.hostname,
        limits: this.#site.limits,
        policy: this.#site.policy,
        bareNewlines: this.#site.bareNewlines,
      },
      bodies: this.#site.store.bodyFiles?.folder,
      counts: this.#counts,
      tally: this.#tally,
      seed: this.#seed,
      notice: this.#notice,
    }
    // As a program it is compiled, in tests it is not.
    const file = `./session-worker${extname(import.meta.url)}`
    const worker = new Worker(new URL(file, import.meta.url), {
      workerData: options,
      resourceLimits: {
        maxYoungGenerationSizeMb: Math.max(YOUNG_MB / this.#amount, LEAST_YOUNG_MB),
      },
    })
    const link = new Link<WorkerCalls, OwnerCalls>(worker, desk.calls)
    let cause = 'it ended'
    worker.on('error', (error: unknown) => {
      cause = messageOf(error)
    })
    const exited = new Promise(resolve => worker.once('exit', resolve))
    const ended = exited.then(() => {
      this.#running.delete(place)
      link.close(new Error(cause))
      desk.close()
      new SharedCounts(this.#counts, place, this.#seed).clear()
      new SharedTally(this.#tally, place).clear()
    })
    this.#running.set(place, { link, worker, ended })
    try {
      await link.ask('open')
    } catch (error) {
      await worker.terminate()
      throw error
    }
    void ended.then(() => this.#again(place, cause))
  }

  async #again(place: number, cause: string): Promise<void> {
    if (this.#stopping) return
    this.#site.report({ kind: 'session-worker-ended', cause })
    for (let pause = FIRST_PAUSE; !this.#stopping; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      try {
        await this.#start(place)
        return
      } catch (error) {
        this.#site.report({ kind: 'relay-fault', part: 'session worker', cause: messageOf(error) })
        await new Promise(resolve => setTimeout(resolve, pause).unref())
      }
    }
  }

  #look(): Notice {
    return { unready: this.#site.ready(), freeSpace: this.#site.freeSpace() }
  }

  #tellNotice(): void {
    const now = this.#look()
    const known = this.#notice
    if (now.unready === known.unready && now.freeSpace === known.freeSpace) return
    this.#notice = now
    for (const { link } of this.#running.values()) link.tell('notice', now)
  }
}

function shownOf({ pairs, ticketKeys }: ServerIdentities): Shown {
  return { pairs, ticketKeys }
}

async function end({ link, worker, ended }: Running, grace: number): Promise<void> {
  const late = setTimeout(() => void worker.terminate(), grace + PATIENCE)
  await link.ask('shutDown', grace).catch(() => undefined)
  await worker.terminate()
  await ended
  clearTimeout(late)
}

/**
 * Where workers will listen. Of threads that share a port the kernel does not tell a stranger that shares it too: so it is
 * first asked for as a port that nobody shares.
 *
 * @throws Problem where another program has a port
 */
async function reserve(listeners: readonly ListenerOptions[]): Promise<readonly Place[]> {
  const servers = listeners.map(() => createServer())
  const places: Place[] = []
  try {
    for (const [i, listener] of listeners.entries()) {
      const server = servers[i]
      if (server === undefined) continue
      await listen(server, listener, false)
      places.push(placeOf(listener.name, server))
    }
    return places
  } finally {
    await Promise.all(
      servers
        .filter(({ listening }) => listening)
        .map(server => new Promise(resolve => server.close(resolve))),
    )
  }
}
