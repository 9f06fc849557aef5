import { stringify } from 'yaml'

import { writeAtomically } from '../../base/atomic-file.ts'
import type { Answers } from '../../config/answers.ts'

type Tree = { [key: string]: unknown }

/** What was answered, in the shape of the file for `--answers`: kept after each answer, so that init can be resumed. */
export class AnswerBook {
  readonly #tree: Tree
  readonly #keptIn: string | undefined

  /** @param keptIn a file; without one nothing is kept */
  constructor(answers: Answers, keptIn?: string) {
    this.#tree = structuredClone(answers)
    this.#keptIn = keptIn
  }

  /** @param key `directory.bind_dn`, `seeds.0.address` */
  get(key: string): string | undefined {
    let here: unknown = this.#tree
    for (const part of key.split('.')) {
      if (typeof here !== 'object' || here === null) return undefined
      here = (here as Tree)[part]
    }
    return typeof here === 'string' || typeof here === 'boolean' ? String(here) : undefined
  }

  /** How many there are in a list. */
  count(key: string): number {
    const list = this.#tree[key]
    return Array.isArray(list) ? list.length : 0
  }

  async set(key: string, value: string): Promise<void> {
    const parts = key.split('.')
    const last = parts.pop() ?? ''
    let here = this.#tree
    for (const [i, part] of parts.entries()) {
      const next = /^\d+$/.test(parts[i + 1] ?? last) ? [] : {}
      here = (here[part] ??= next) as Tree
    }
    here[last] = value
    if (this.#keptIn !== undefined) await writeAtomically(this.#keptIn, this.text())
  }

  text(): string {
    return `# What mailcanary init was answered; no secret is in it. It can be used again:  mailcanary init --answers FILE\n${stringify(this.#tree, { lineWidth: 0 })}`
  }
}
