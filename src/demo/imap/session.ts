import type { Socket } from 'node:net'

import type { Clock } from '../../base/clock.ts'
import type { Account } from './account.ts'
import { append } from './append.ts'
import { CommandReader } from './command-reader.ts'
import { list, status } from './listing.ts'
import type { Fault, Quirks } from './quirks.ts'
import { bad, no, Refusal } from './refusal.ts'
import { parseSasl } from './sasl.ts'
import { SelectedMailbox } from './selected.ts'
import { tokenize, word, type CommandPart, type Token } from './tokenizer.ts'

/** What a session has to know of the server it belongs to. */
export interface SessionContext {
  readonly quirks: Quirks
  readonly fault: () => Fault
  /** Account of a user name, or undefined. */
  readonly account: (username: string) => Account | undefined
  /** How many sessions the account has open, this one included. */
  readonly sessionsOf: (account: Account) => number
  readonly clock: Clock
}

type Command = (args: readonly Token[]) => string | void | Promise<string | void>

const ANONYMOUS = new Set(['CAPABILITY', 'NOOP', 'LOGIN', 'AUTHENTICATE', 'LOGOUT', 'ID'])
// Section 7.4.1: no EXPUNGE may be told during these.
const QUIET = new Set(['FETCH', 'STORE', 'SEARCH'])
const MOST_PIPELINED = 100
const IDLE_LIMIT = 30 * 60_000

/** One IMAP connection (RFC 3501) of the simulated provider. */
export class ImapSession {
  readonly #socket: Socket
  readonly #context: SessionContext
  #account: Account | undefined
  #selected: SelectedMailbox | undefined
  #unwatch: (() => void) | undefined
  #idling = false
  #answer: ((line: string) => void) | undefined
  #queue: Promise<void> = Promise.resolve()
  #queued = 0
  #closed = false

  readonly #commands: ReadonlyMap<string, Command> = new Map<string, Command>([
    ['CAPABILITY', () => this.#send(`* CAPABILITY ${this.#capabilities}`)],
    ['NOOP', () => undefined],
    ['CHECK', () => undefined],
    ['ID', () => this.#send('* ID ("name" "mailcanary demo")')],
    ['LOGOUT', () => this.#send('* BYE Good bye')],
    ['LOGIN', ([username, password]) => this.#logIn(word(username), word(password))],
    ['AUTHENTICATE', args => this.#authenticate(args)],
    ['NAMESPACE', () => this.#send('* NAMESPACE (("" "/")) NIL NIL')],
    ['LIST', args => list('LIST', this.#mine, args).forEach(line => this.#send(line))],
    ['LSUB', args => list('LSUB', this.#mine, args).forEach(line => this.#send(line))],
    ['STATUS', args => this.#send(status(this.#mine, args))],
    ['SELECT', args => this.#open(args, false)],
    ['EXAMINE', args => this.#open(args, true)],
    ['UNSELECT', () => this.#close()],
    ['CLOSE', () => this.#closeExpunging()],
    ['APPEND', args => append(this.#mine, args, this.#context.clock)],
    ['IDLE', () => this.#idle()],
    ['EXPUNGE', () => this.#box.expunge()],
    ['UID', ([name, ...args]) => this.#box.perform(word(name), args, true, this.#mine)],
    ...['FETCH', 'SEARCH', 'STORE', 'COPY', 'MOVE'].map((name): [string, Command] => [
      name,
      args => this.#box.perform(name, args, false, this.#mine),
    ]),
  ])

  constructor(socket: Socket, context: SessionContext) {
    this.#socket = socket
    this.#context = context
    const reader = new CommandReader(
      parts => this.#arrived(parts),
      () => this.#send('+ go ahead'),
    )
    socket.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk)
      } catch {
        this.end('Command too long')
      }
    })
    socket.on('close', () => this.#release())
    socket.setTimeout(IDLE_LIMIT, () => this.end('Autologout; idle for too long'))
    this.#send(`* OK [CAPABILITY ${this.#capabilities}] ${context.quirks.greeting}`)
  }

  get account(): Account | undefined {
    return this.#account
  }

  /** Says BYE and hangs up. */
  end(why: string): void {
    this.#send(`* BYE ${why}`)
    this.#closed = true
    this.#socket.destroySoon()
    this.#release()
  }

  get #capabilities(): string {
    return this.#context.quirks.capabilities.join(' ')
  }

  #send(line: string): void {
    if (!this.#closed && this.#socket.writable) this.#socket.write(`${line}\r\n`, 'latin1')
  }

  #release(): void {
    this.#closed = true
    this.#close()
    this.#answer?.('')
    this.#answer = undefined
  }

  #arrived(parts: readonly CommandPart[]): void {
    if (this.#answer) {
      const answer = this.#answer
      this.#answer = undefined
      answer(String(parts[0] ?? ''))
      return
    }
    if (this.#queued >= MOST_PIPELINED) {
      this.end('Too many commands at once')
      return
    }
    this.#queued += 1
    this.#queue = this.#queue.then(() => this.#execute(parts)).finally(() => (this.#queued -= 1))
  }

  async #execute(parts: readonly CommandPart[]): Promise<void> {
    if (this.#closed) return
    const fault = this.#context.fault()
    // A server that hangs takes everything and says nothing, not even BYE.
    if (fault === 'hang') return
    let tag = '*'
    try {
      const [first, second, ...args] = tokenize(parts)
      tag = word(first)
      const name = word(second).toUpperCase()
      const command = this.#commands.get(name)
      if (!command) throw bad('Unknown command')
      if (!this.#account && !ANONYMOUS.has(name)) throw bad('Log in first')
      if (this.#account && name !== 'LOGOUT') this.#suffer(fault)
      const text = await command(args)
      if (this.#selected && !QUIET.has(name)) this.#selected.sync()
      this.#send(`${tag} ${text ?? `OK ${name} completed`}`)
      if (name === 'LOGOUT') this.#socket.end()
    } catch (error) {
      const refusal = error instanceof Refusal ? error : bad('Internal error')
      this.#send(`${tag} ${refusal.answer} ${refusal.message}`)
      if (this.#account && fault === 'limit') this.end('Rate limit hit.')
      if (this.#account && fault === 'not-connected') this.end('Connection closed. 14')
    }
  }

  #suffer(fault: Fault): void {
    if (fault === 'not-connected') throw bad('User is authenticated but not connected.')
    if (fault === 'limit') throw no('[LIMIT] UID FETCH Rate limit hit.')
    if (fault === 'throttled') {
      throw bad('Request is throttled. Suggested Backoff Time: 92415 milliseconds')
    }
  }

  #ask(prompt: string): Promise<string> {
    return new Promise(resolve => {
      this.#answer = resolve
      this.#send(`+ ${prompt}`)
    })
  }

  #logIn(username: string, password: string): string {
    if (this.#context.fault() === 'unreadable') {
      throw no('[UNAVAILABLE] Temporary authentication failure')
    }
    const { quirks } = this.#context
    const account = this.#context.account(username)
    if (!account || account.password !== password) throw no(quirks.wrongPassword)
    this.#account = account
    const crowded = this.#context.fault() === 'crowded'
    if (crowded || this.#context.sessionsOf(account) > quirks.connections) {
      if (quirks.tooManyConnections.answer === 'bye') {
        setImmediate(() => this.end(quirks.tooManyConnections.text))
      } else {
        this.#account = undefined
        throw no(quirks.tooManyConnections.text)
      }
    }
    return `OK [CAPABILITY ${this.#capabilities}] logged in`
  }

  async #authenticate([mechanism, initial]: readonly Token[]): Promise<string> {
    const response = typeof initial === 'string' ? initial : await this.#ask('')
    const { username, password } = parseSasl(word(mechanism), response)
    return this.#logIn(username, password)
  }

  #open([name]: readonly Token[], readOnly: boolean): string {
    this.#close()
    const mailbox = this.#mine.get(word(name))
    if (!mailbox || mailbox.attributes.includes(String.raw`\Noselect`)) {
      throw no('[NONEXISTENT] No such mailbox')
    }
    const selected = new SelectedMailbox(mailbox, readOnly, this.#context.quirks, line =>
      this.#send(line),
    )
    this.#selected = selected
    this.#unwatch = mailbox.watch(() => {
      if (this.#idling) selected.sync()
    })
    selected.announce()
    return `OK [READ-${readOnly ? 'ONLY' : 'WRITE'}] completed`
  }

  #close(): void {
    this.#unwatch?.()
    this.#unwatch = undefined
    this.#selected = undefined
  }

  #closeExpunging(): void {
    if (!this.#box.readOnly) this.#box.expunge()
    this.#close()
  }

  async #idle(): Promise<void> {
    if (!this.#context.quirks.capabilities.includes('IDLE')) throw bad('Unknown command')
    const fault = this.#context.fault()
    if (fault === 'idle-closed') {
      this.end('Idle timeout')
      return
    }
    this.#idling = true
    this.#selected?.sync()
    if (fault === 'phantom') this.#send('* 99 EXISTS')
    await this.#ask('idling')
    this.#idling = false
  }

  get #mine(): Account {
    if (!this.#account) throw bad('Log in first')
    return this.#account
  }

  get #box(): SelectedMailbox {
    if (!this.#selected) throw bad('No mailbox selected')
    return this.#selected
  }
}
