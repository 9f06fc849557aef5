import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'

import { CRYPT_SCHEMES, type CryptScheme } from './scheme.ts'

export interface CryptQuestion {
  readonly id: number
  readonly password: string
  readonly hash: string
  /** Whether `hash` is a setting to make a hash with, and not one to compare with. */
  readonly make?: true
}

/** `unusable`: the library is absent, or does not know this hash. Neither is a wrong password. */
export interface CryptAnswer {
  readonly id: number
  readonly result: 'match' | 'mismatch' | 'made' | 'unusable'
  /** With `made` only. */
  readonly hash?: string
}

type Comparison = Exclude<CryptAnswer['result'], 'made'>

// The library that is here may lack a scheme (musl lacks yescrypt), so each is tried once with its own vector.
const PROBE_PASSWORD = 'canary-demo'
const PROBES: Readonly<Record<CryptScheme, string>> = {
  des: 'tef8TpG1m7QdI',
  'md5-crypt': '$1$testsalt$q8zGRxyTTGctXJsJkIKkF/',
  'sha256-crypt': '$5$testsalt$kLjdeerLSkdlh4tHHwPEQyBynlYrdC08gQD0HUhwP03',
  'sha512-crypt':
    '$6$testsalt$kNsZqvWd0/1LkUSwSw84vAvyX/Kn0K9oEmJ73G.vjmTxxR5Z7Iytgh72R6qTf87ND8tLG0PABoVt3W0vqbQlO.',
  bcrypt: '$2b$05$abcdefghijklmnopqrstuuEjclDzkG/ipFT0p3eHfa43kJAllTl/O',
  yescrypt: '$y$j9T$testsalt$I7tTeuc6JQUwhPkx/Fm.RK6KH03gYeIzBiDqQS/QBt9',
  scrypt: '$7$9/..../....testsalt$R9zqTAyLS4YfQM3yPKrTZEb.sqCm0R8uDjFxZuElfgD',
}

/** libcrypt in a thread of its own; questions are answered one after the other. */
export class Libcrypt {
  readonly #waiting = new Map<number, (answer: Omit<CryptAnswer, 'id'>) => void>()
  #worker: Worker | undefined
  #next = 0
  #schemes: ReadonlySet<CryptScheme> = new Set()
  #stopped = false

  /** Starts the thread and finds out which schemes it can verify. Never throws: without libcrypt there are none. */
  async start(): Promise<void> {
    this.#spawn()
    const tried = await Promise.all(
      CRYPT_SCHEMES.map(async scheme => ({
        scheme,
        result: await this.verify(PROBE_PASSWORD, PROBES[scheme]),
      })),
    )
    this.#schemes = new Set(tried.filter(t => t.result === 'match').map(t => t.scheme))
  }

  get schemes(): ReadonlySet<CryptScheme> {
    return this.#schemes
  }

  /** @param hash a bare crypt hash that `parseStored` has passed: its cost is not looked at here */
  async verify(password: string, hash: string): Promise<Comparison> {
    const { result } = await this.#ask({ password, hash })
    return result === 'made' ? 'unusable' : result
  }

  /**
   * Makes a hash.
   *
   * @param setting scheme, cost and salt, as crypt(3) wants them
   * @returns undefined where the library is absent or does not know the scheme
   */
  async make(password: string, setting: string): Promise<string | undefined> {
    return (await this.#ask({ password, hash: setting, make: true })).hash
  }

  #ask(question: Omit<CryptQuestion, 'id'>): Promise<Omit<CryptAnswer, 'id'>> {
    if (this.#stopped) return Promise.resolve({ result: 'unusable' })
    const worker = this.#worker ?? this.#spawn()
    const id = this.#next++
    return new Promise(resolve => {
      this.#waiting.set(id, resolve)
      worker.ref()
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      worker.postMessage({ id, ...question } satisfies CryptQuestion)
    })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
    this.#abandon()
  }

  #spawn(): Worker {
    // Built, this file ends in .js and so does the worker; the compiler rewrites imports, not URLs.
    const extension = extname(fileURLToPath(import.meta.url))
    const worker = new Worker(new URL(`./libcrypt-worker${extension}`, import.meta.url))
    worker.on('message', (answer: CryptAnswer) => {
      this.#waiting.get(answer.id)?.(answer)
      this.#waiting.delete(answer.id)
      if (this.#waiting.size === 0) worker.unref()
    })
    const gone = (): void => {
      if (this.#worker !== worker) return
      this.#worker = undefined
      this.#abandon()
    }
    worker.on('error', gone)
    worker.on('exit', gone)
    // An idle thread must not be what keeps a finished process alive.
    worker.unref()
    this.#worker = worker
    return worker
  }

  #abandon(): void {
    for (const resolve of this.#waiting.values()) resolve({ result: 'unusable' })
    this.#waiting.clear()
  }
}
