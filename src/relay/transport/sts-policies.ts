import { readFile } from 'node:fs/promises'

import { writeAtomically } from '../../base/atomic-file.ts'
import { SECOND, type Clock } from '../../base/clock.ts'
import { codeOf, messageOf } from '../../base/problem.ts'
import { remember } from '../../base/remember.ts'

/** A policy of RFC 8461 section 3.2. */
export interface StsPolicy {
  readonly mode: 'enforce' | 'testing' | 'none'
  /** Names or `*.example.net`, lower case. */
  readonly mx: readonly string[]
  /** Seconds. */
  readonly maxAge: number
}

export interface StsPoliciesOptions {
  readonly clock: Clock
  /** Where they outlive the process; without it they do not. */
  readonly path?: string
  /** Told in words when the file cannot be read or written; the policies then bind from memory alone. */
  readonly failed?: (cause: string) => void
}

interface Kept {
  /** Of the record that announced it, by which a changed policy is known. */
  readonly id: string
  readonly policy: StsPolicy
  /** Milliseconds since the epoch. */
  readonly until: number
}

const MAX_KEPT = 10_000

/**
 * The policies that were seen, until their age is up (RFC 8461 section 5.1). In a file too: whoever can cut off the
 * policy server would otherwise only have to wait for a restart. Of ten thousand the oldest goes.
 */
export class StsPolicies {
  readonly #options: StsPoliciesOptions
  readonly #kept = new Map<string, Kept>()
  #unsaved = false
  #saving: Promise<void> | undefined

  constructor(options: StsPoliciesOptions) {
    this.#options = options
  }

  /** Takes up what was kept by the process before. A file that cannot be read is none: domains are asked anew. */
  async load(): Promise<void> {
    const { path, failed } = this.#options
    if (path === undefined) return
    try {
      const entries: unknown = JSON.parse(await readFile(path, 'utf8'))
      if (!Array.isArray(entries) || !entries.every(isEntry))
        throw new Error('it is no list of policies')
      for (const { domain, ...kept } of entries) this.#kept.set(domain, kept)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return
      failed?.(
        `${path} cannot be read, the policies of all domains are asked for anew: ${messageOf(error)}`,
      )
    }
  }

  /** @returns undefined if there is none, or its age is up */
  get(domain: string): Kept | undefined {
    const kept = this.#kept.get(domain)
    return kept && this.#options.clock() < kept.until ? kept : undefined
  }

  /** Lets a policy bind from now on, in the place of the one before. */
  set(domain: string, id: string, policy: StsPolicy): void {
    const until = this.#options.clock() + policy.maxAge * SECOND
    remember(this.#kept, domain, { id, policy, until }, MAX_KEPT)
    this.#unsaved = true
    this.#saving ??= this.#save().finally(() => {
      this.#saving = undefined
    })
  }

  /** Resolves when all of them are in the file. */
  async saved(): Promise<void> {
    await this.#saving
  }

  /** One writes at a time, and what is set meanwhile goes into the next writing together. */
  async #save(): Promise<void> {
    const { path, failed } = this.#options
    if (path === undefined) return
    while (this.#unsaved) {
      this.#unsaved = false
      for (const [domain, { until }] of this.#kept) {
        if (until <= this.#options.clock()) this.#kept.delete(domain)
      }
      const all = [...this.#kept].map(([domain, kept]) => ({ domain, ...kept }))
      try {
        await writeAtomically(path, JSON.stringify(all))
      } catch (error) {
        failed?.(`${path} cannot be written: ${messageOf(error)}`)
      }
    }
  }
}

function isEntry(value: unknown): value is Kept & { readonly domain: string } {
  const { domain, id, until, policy } = (value ?? {}) as Readonly<Record<string, unknown>>
  const { mode, mx, maxAge } = (policy ?? {}) as Readonly<Record<string, unknown>>
  const texts = [domain, id, ...(Array.isArray(mx) ? (mx as unknown[]) : [undefined])]
  return (
    texts.every(text => typeof text === 'string') &&
    [until, maxAge].every(Number.isFinite) &&
    ['enforce', 'testing', 'none'].includes(String(mode))
  )
}
