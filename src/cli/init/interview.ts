import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { Problem } from '../../base/problem.ts'
import { Secret } from '../../base/secret.ts'
import { print } from '../print.ts'
import type { AnswerBook } from './answer-book.ts'
import type { Terminal } from './terminal.ts'

/** What came of testing an answer. */
export interface Finding {
  readonly ok: boolean
  /** What was seen, or what is wrong and what to do; '' for nothing. */
  readonly text: string
  /** It cannot be kept, however often it is said. */
  readonly never?: boolean
}

export const WELL: Finding = { ok: true, text: '' }

/** The finding that an answer cannot be kept, and why. */
export function never(text: string): Finding {
  return { ok: false, never: true, text }
}

export interface Question {
  /** How the file of answers calls it. */
  readonly key: string
  readonly ask: string
  /** Why it is asked, as a sentence. */
  readonly why: string
  /** The answer of whoever presses Enter. */
  readonly unless?: string
  readonly test?: (answer: string) => Finding | Promise<Finding>
}

export interface SecretQuestion extends Omit<Question, 'unless' | 'test'> {
  /** Name of the file that will hold it. */
  readonly file: string
  readonly test?: (secret: Secret) => Promise<Finding>
}

/** A secret, and the file that the configuration is to name. */
export interface GivenSecret {
  readonly value: Secret
  readonly path: string
  /** Whether that file has to be written. */
  readonly isNew: boolean
}

export interface InterviewOptions {
  readonly book: AnswerBook
  /** Undefined where everything has to be in the book. */
  readonly terminal: Terminal | undefined
  /** What the book came from, for problems. */
  readonly source: string
  /** Whether what is in the book is taken without asking, as long as it stands its test. */
  readonly takesKnown: boolean
  /** Where the configuration and the secrets go. */
  readonly folder: string
}

/** Asks for one answer after the other, tests each at once, and keeps it. */
export class Interview {
  readonly #options: InterviewOptions

  constructor(options: InterviewOptions) {
    this.#options = options
  }

  get book(): AnswerBook {
    return this.#options.book
  }

  get isAttended(): boolean {
    return this.#options.terminal !== undefined
  }

  say(...lines: readonly string[]): void {
    print(lines)
  }

  /** @throws Problem where there is nobody to ask, or nobody wants to answer any more */
  async ask({ key, ask, why, unless, test = () => WELL }: Question): Promise<string> {
    const { book, terminal, source, takesKnown } = this.#options
    const known = book.get(key)
    const given = known ?? (terminal === undefined ? unless : undefined)
    if (given !== undefined && (takesKnown || terminal === undefined)) {
      const finding = await this.#tested(test(given))
      if (finding.ok) {
        this.say(`${ask}: ${given}`)
        this.#tell(finding)
        return given
      }
      if (terminal === undefined) throw new Problem(`${source}: ${key}: ${finding.text}`)
      this.say('', `${ask}: ${given}`)
      this.#tell(finding)
    }
    if (terminal === undefined) throw new Problem(`${source}: ${key}: is missing: ${why}`)
    const usual = known ?? unless ?? ''
    let last: string | undefined
    this.say('', why)
    for (;;) {
      const typed = await terminal.line(`${ask}${usual === '' ? '' : ` [${usual}]`}: `)
      const answer = typed === '' ? usual : typed
      if (answer === '') continue
      const finding = await this.#tested(test(answer))
      this.#tell(finding)
      if (finding.ok || (answer === last && finding.never !== true)) {
        await book.set(key, answer)
        return answer
      }
      if (finding.never !== true) this.say('    The same once more keeps it all the same.')
      last = answer
    }
  }

  /** Yes or no. What is in the book counts. */
  async confirm(question: Omit<Question, 'test' | 'unless'>, unless: boolean): Promise<boolean> {
    const answer = await this.ask({
      ...question,
      unless: unless ? 'yes' : 'no',
      test: text =>
        /^(?:y|yes|no?|true|false)$/i.test(text)
          ? WELL
          : { ok: false, never: true, text: 'should be yes or no' },
    })
    return /^(?:y|true)/i.test(answer)
  }

  /** A word that has to be typed: nothing that a book holds, or a person who presses Enter, says it. */
  async word(prompt: string): Promise<string> {
    return this.#options.terminal === undefined ? '' : this.#options.terminal.line(prompt)
  }

  /** A secret: never shown, never in the book. A file of answers names the file or the variable that holds it. */
  async secret(question: SecretQuestion): Promise<GivenSecret> {
    const { key, ask, why, file, test = () => Promise.resolve(WELL) } = question
    const { book, terminal, source, folder } = this.#options
    const path = join(folder, file)
    const named = book.get(`${key}_file`)
    const variable = book.get(`${key}_env`)
    const told =
      named !== undefined
        ? { value: await fileSecret(named), path: named, isNew: false }
        : variable !== undefined
          ? { value: new Secret(process.env[variable] ?? ''), path, isNew: true }
          : undefined
    if (told !== undefined) {
      const from = named ?? `$${variable}`
      if (told.value.reveal() === '') throw new Problem(`${source}: ${key}: ${from} holds nothing`)
      const finding = await this.#tested(test(told.value))
      if (!finding.ok) throw new Problem(`${source}: ${key} (${from}): ${finding.text}`)
      this.say(`${ask}: that of ${from}`)
      this.#tell(finding)
      return told
    }
    if (terminal === undefined) {
      throw new Problem(`${source}: ${key}_file or ${key}_env: is missing: ${why}`)
    }
    const before = await fileSecret(path).catch(() => undefined)
    let last: string | undefined
    this.say('', why)
    for (;;) {
      const usual = before === undefined ? '' : ` [the one in ${path}]`
      const typed = await terminal.hiddenLine(`${ask}${usual}: `)
      const value = typed === '' ? before : new Secret(typed)
      if (value === undefined) continue
      const finding = await this.#tested(test(value))
      this.#tell(finding)
      if (finding.ok || (value.reveal() === last && finding.never !== true)) {
        return { value, path, isNew: value !== before }
      }
      if (finding.never !== true) this.say('    The same once more keeps it all the same.')
      last = value.reveal()
    }
  }

  /** A test that takes long does not keep anybody from ending it. */
  async #tested(running: Finding | Promise<Finding>): Promise<Finding> {
    const stopped = this.#options.terminal?.stopped
    if (stopped === undefined) return running
    let end = (): void => undefined
    const ended = new Promise<never>((_, reject) => {
      end = () => reject(new Problem('ended'))
      stopped.addEventListener('abort', end, { once: true })
    })
    try {
      return await Promise.race([running, ended])
    } finally {
      stopped.removeEventListener('abort', end)
    }
  }

  #tell({ ok, text }: Finding): void {
    if (text !== '') this.say(...text.split('\n').map(line => `  ${ok ? '-' : '!'} ${line}`))
  }
}

async function fileSecret(path: string): Promise<Secret> {
  try {
    return new Secret((await readFile(path, 'utf8')).replace(/\r?\n$/, ''))
  } catch {
    throw new Problem(`${path}: cannot be read: it should hold the secret`)
  }
}
