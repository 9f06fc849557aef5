import { EX, Exit } from './sysexits.ts'

/** What a sendmail is told, as far as a submission has a place for it. */
export interface SendmailOptions {
  /** -t: the recipients are in the header as well. */
  readonly recipientsFromHeader: boolean
  /** -i, -oi: a line with nothing but a dot is a line. */
  readonly ignoreDots: boolean
  /** -f, -r: the envelope's sender; '' is nobody. */
  readonly sender: string | undefined
  /** -F */
  readonly fullName: string | undefined
  /** -N (RFC 3461 section 4.1), in the words of NOTIFY. */
  readonly notify: string | undefined
  /** -R (RFC 3461 section 4.3). */
  readonly ret: 'FULL' | 'HDRS' | undefined
  /** -V (RFC 3461 section 4.4). */
  readonly envelopeId: string | undefined
  readonly recipients: readonly string[]
}

// Options with a value that mean nothing here: where bounces go, how to deliver, type of body, tag of the log.
const VALUE_IGNORED = 'oBLhOX'
const FLAG_IGNORED = 'GUnmvem'
const NOTIFY = new Set(['success', 'failure', 'delay'])

/**
 * Reads the command line of a sendmail: options may stand together with their value (`-falice@example.org`) or before it, and
 * recipients between them.
 *
 * @throws Exit with `usage`
 */
export function readSendmailOptions(args: readonly string[]): SendmailOptions {
  const read = new Reader(args)
  for (let arg = read.next(); arg !== undefined; arg = read.next()) read.take(arg)
  return read.options
}

class Reader {
  readonly #args: string[]
  readonly options: { -readonly [K in keyof SendmailOptions]: SendmailOptions[K] } & {
    recipients: string[]
  } = {
    recipientsFromHeader: false,
    ignoreDots: false,
    sender: undefined,
    fullName: undefined,
    notify: undefined,
    ret: undefined,
    envelopeId: undefined,
    recipients: [],
  }

  constructor(args: readonly string[]) {
    this.#args = [...args]
  }

  next(): string | undefined {
    return this.#args.shift()
  }

  take(arg: string): void {
    const { options } = this
    if (arg === '--') {
      options.recipients.push(...this.#args.splice(0))
      return
    }
    if (!arg.startsWith('-') || arg === '-') {
      options.recipients.push(arg)
      return
    }
    const letter = arg.charAt(1)
    const rest = arg.slice(2)
    switch (letter) {
      case 't':
      case 'i':
        this.#flags(arg)
        return
      case 'f':
      case 'r':
        options.sender = this.#value(letter, rest).replace(/^<(.*)>$/s, '$1')
        return
      case 'F':
        options.fullName = this.#value(letter, rest)
        return
      case 'N':
        options.notify = notifyOf(this.#value(letter, rest))
        return
      case 'R':
        options.ret = retOf(this.#value(letter, rest))
        return
      case 'V':
        options.envelopeId = this.#value(letter, rest)
        return
      case 'b':
        if (rest === 'm') return
        throw new Exit(EX.usage, `-b${rest}: only -bm, taking a message, can be done here`)
      case 'o':
        if (rest === 'i') options.ignoreDots = true
        if (rest === '') this.#value(letter, rest)
        return
      case 'e':
        return
      default:
        if (VALUE_IGNORED.includes(letter)) this.#value(letter, rest)
        else if (FLAG_IGNORED.includes(letter) && rest === '') return
        else throw new Exit(EX.usage, `${arg}: unknown option`)
    }
  }

  /** `-ti` is `-t -i`. */
  #flags(arg: string): void {
    for (const flag of arg.slice(1)) {
      if (flag === 't') this.options.recipientsFromHeader = true
      else if (flag === 'i') this.options.ignoreDots = true
      else throw new Exit(EX.usage, `${arg}: unknown option`)
    }
  }

  #value(letter: string, rest: string): string {
    const value = rest === '' ? this.next() : rest
    if (value === undefined) throw new Exit(EX.usage, `-${letter} needs a value`)
    return value
  }
}

function notifyOf(value: string): string {
  const words = value.toLowerCase().split(',')
  if (words.length === 1 && words[0] === 'never') return 'NEVER'
  if (words.every(word => NOTIFY.has(word))) return [...new Set(words)].join(',').toUpperCase()
  throw new Exit(EX.usage, `-N ${value}: say never, or some of success,failure,delay`)
}

function retOf(value: string): 'FULL' | 'HDRS' {
  const word = value.toUpperCase()
  if (word === 'FULL' || word === 'HDRS') return word
  throw new Exit(EX.usage, `-R ${value}: say full or hdrs`)
}
