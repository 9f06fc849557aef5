import { messageOf } from '../../base/problem.ts'
import type { Principal } from '../../directory/principal.ts'
import type { Reply } from '../../mail/reply.ts'
import type { Busy, Line } from './command-parser.ts'
import { parseCommand } from './command.ts'
import { maxLineOctets } from './limits.ts'
import { MailCommands } from './mail-commands.ts'
import * as replies from './replies.ts'
import { MECHANISMS, readExternal, startSasl, type SaslExchange } from './sasl.ts'
import type { Site } from './site.ts'
import type { SocketDoor } from './socket-door.ts'
import type { Wire } from './wire.ts'

/** Gives the reply, or nothing where one was given already or comes later. */
type Handler = (
  session: Dialogue,
  argument: string,
) => Reply | undefined | Promise<Reply | undefined>

// RFC 3207 section 4: all others are answered 530 in clear text. AUTH has an answer of its own.
const IN_CLEAR_TEXT: ReadonlySet<string> = new Set([
  'NOOP',
  'EHLO',
  'HELO',
  'STARTTLS',
  'QUIT',
  'AUTH',
])
const WITHOUT_LOGIN: ReadonlySet<string> = new Set([...IN_CLEAR_TEXT, 'RSET', 'HELP', 'XKEY'])
const AFTER_GREETING: ReadonlySet<string> = new Set(['MAIL', 'RCPT', 'DATA', 'AUTH'])
// Replies to what a program does wrong, not to what a message or its recipients are.
const FAULTS: ReadonlySet<number> = new Set([500, 501, 502, 503, 504, 530, 535, 538, 555])

/** One session: the commands of RFC 5321 and RFC 6409, one at a time, each answered once. */
export class Dialogue {
  // A Map: `constructor` is no command. One for all sessions, of which a thousand may be idle.
  static readonly #handlers: ReadonlyMap<string, Handler> = new Map<string, Handler>([
    ['EHLO', (session, argument) => session.#hello('EHLO', argument)],
    ['HELO', (session, argument) => session.#hello('HELO', argument)],
    ['STARTTLS', bare(session => session.#startTls())],
    ['AUTH', (session, argument) => session.#auth(argument)],
    ['MAIL', (session, argument) => session.#mail.mail(argument, session.#principal)],
    ['RCPT', (session, argument) => session.#mail.rcpt(argument, session.#principal)],
    ['DATA', bare(session => session.#mail.data(session.#principal))],
    ['RSET', bare(session => session.#mail.reset())],
    ['QUIT', bare(session => session.#quit())],
    ['NOOP', () => replies.OK],
    ['HELP', () => replies.HELP],
    [
      'VRFY',
      (session, argument) =>
        argument === '' ? replies.ARGUMENT_NEEDED : session.#verify(argument),
    ],
    // Private (RFC 5321 section 4.1.5), and on a Unix socket only.
    ['XKEY', (session, argument) => session.#lookUpKey(argument)],
  ])
  readonly #site: Site
  readonly #wire: Wire
  #greeted = false
  #principal: Principal | undefined
  readonly #mail: MailCommands
  #sasl: SaslExchange | undefined
  #faults = 0
  #commandsBeforeLogin = 0

  constructor(site: Site, wire: Wire) {
    this.#site = site
    this.#wire = wire
    this.#principal = wire.trusted
    this.#mail = new MailCommands(site, wire)
  }

  /** TLS has begun: what was said before it was said by anybody (RFC 3207 section 4.2). */
  reset(): void {
    this.#greeted = false
    this.#principal = undefined
    this.#mail.forget()
    this.#sasl = undefined
  }

  /** Takes one line and answers it. Never rejects. */
  line(line: Line): Busy {
    const failed = (error: unknown): void => {
      this.#site.report({ kind: 'relay-fault', part: 'submission', cause: messageOf(error) })
      this.#wire.say(replies.INTERNAL_FAULT)
    }
    try {
      const answer = this.#answer(line)
      if (answer instanceof Promise) return answer.then(reply => this.#reply(reply)).catch(failed)
      this.#reply(answer)
    } catch (error) {
      failed(error)
    }
    return undefined
  }

  #reply(answer: Reply | undefined): void {
    if (answer === undefined) return
    const { errors } = this.#site.limits
    if (FAULTS.has(answer.code) && ++this.#faults > errors) this.#wire.say(replies.TOO_MANY_ERRORS)
    else this.#wire.say(answer)
  }

  #answer(line: Line): ReturnType<Handler> {
    const sasl = this.#sasl
    this.#sasl = undefined
    if (sasl) return this.#continueAuth(sasl, line)
    if (line.kind === 'overlong') return replies.LINE_TOO_LONG
    const command = parseCommand(line.octets)
    if (command === undefined) return replies.BAD_LINE
    const { verb, argument } = command
    if (line.octets.length + 2 > maxLineOctets(verb)) return replies.LINE_TOO_LONG
    if (/ HTTP\/\d\.\d$/.test(argument)) return replies.NOT_HTTP
    const { commandsBeforeLogin } = this.#site.limits
    if (!this.#principal && ++this.#commandsBeforeLogin > commandsBeforeLogin) {
      return replies.TOO_MANY_BEFORE_LOGIN
    }
    const handler = Dialogue.#handlers.get(verb)
    if (handler === undefined || (verb === 'XKEY' && !this.#wire.door))
      return replies.UNKNOWN_COMMAND
    return this.#outOfOrder(verb) ?? handler(this, argument)
  }

  #outOfOrder(verb: string): Reply | undefined {
    if (this.#wire.trusted) return this.#outOfOrderLocally(verb)
    if (!this.#wire.secure && !this.#wire.door) {
      if (verb === 'AUTH') return replies.ENCRYPTION_NEEDED
      if (!IN_CLEAR_TEXT.has(verb)) return replies.TLS_FIRST
    }
    if (verb === 'STARTTLS' && this.#wire.door) return replies.NOT_OFFERED
    if (!this.#greeted && AFTER_GREETING.has(verb)) return replies.GREET_FIRST
    if (!this.#principal && !WITHOUT_LOGIN.has(verb)) return replies.LOGIN_FIRST
    return undefined
  }

  /** RFC 5321 section 4.2.4: what we know and do not offer is 502. */
  #outOfOrderLocally(verb: string): Reply | undefined {
    if (verb === 'AUTH' || verb === 'STARTTLS') return replies.NOT_OFFERED
    return !this.#greeted && AFTER_GREETING.has(verb) ? replies.GREET_FIRST : undefined
  }

  #hello(verb: 'EHLO' | 'HELO', argument: string): Reply | undefined {
    if (!/^[^ ]{1,255}$/.test(argument)) return replies.NAME_NEEDED
    this.#greeted = true
    // RFC 5321 section 4.1.4: as RSET does.
    this.#mail.forget()
    // RFC 2034 section 4: no enhanced code in this reply.
    if (verb === 'HELO') this.#wire.sayLines(250, [this.#site.hostname])
    else this.#wire.sayLines(250, [this.#site.hostname, ...this.#extensions()])
    return undefined
  }

  #extensions(): string[] {
    const { secure, trusted, door } = this.#wire
    const mechanisms = door ? ['EXTERNAL'] : secure ? MECHANISMS : []
    return [
      'PIPELINING',
      `SIZE ${this.#site.limits.messageBytes}`,
      '8BITMIME',
      'SMTPUTF8',
      'DSN',
      'ENHANCEDSTATUSCODES',
      // RFC 4954 section 4: not in clear text, where nobody should be asked for a password.
      ...(mechanisms.length > 0 && !this.#principal ? [`AUTH ${mechanisms.join(' ')}`] : []),
      ...(secure || trusted || door ? [] : ['STARTTLS']),
    ]
  }

  #startTls(): Reply | undefined {
    if (this.#wire.secure) return replies.ALREADY_SECURE
    this.#wire.say(replies.READY_FOR_TLS)
    this.#wire.startTls()
    return undefined
  }

  #auth(argument: string): ReturnType<Handler> {
    if (this.#principal) return replies.ALREADY_AUTHENTICATED
    if (this.#mail.open) return replies.AUTH_IN_TRANSACTION
    const { door } = this.#wire
    if (door) return this.#enter(door, argument)
    const exchange = startSasl(argument)
    return 'reply' in exchange ? exchange.reply : this.#step(exchange, exchange.next())
  }

  #enter(door: SocketDoor, argument: string): Reply {
    const read = readExternal(argument)
    const answer = read.kind === 'login' ? door.enter(read.login) : read
    if (answer.kind === 'refused') return answer.reply
    this.#principal = answer.principal
    this.#wire.loggedIn()
    return replies.LOGGED_IN
  }

  #lookUpKey(fingerprint: string): Reply | undefined {
    const found = this.#wire.door?.lookUp(fingerprint) ?? { reply: replies.UNKNOWN_COMMAND }
    if ('reply' in found) return found.reply
    // As it is: a key is longer than a line of text may be.
    this.#wire.sayLines(250, [found.line])
    return undefined
  }

  /** RFC 5321 section 3.5.3: says nothing of who exists, but a program on this host may ask who it is itself. */
  #verify(argument: string): Reply {
    const { login, addresses: [address] = [] } = this.#principal ?? {}
    if (!this.#wire.door || argument !== login || address === undefined) return replies.NOT_VERIFIED
    return replies.reply(250, '2.1.5', `<${address}>`)
  }

  #continueAuth(exchange: SaslExchange, line: Line): ReturnType<Handler> {
    if (line.kind === 'overlong') return replies.AUTH_LINE_TOO_LONG
    return this.#step(exchange, exchange.next(line.octets.toString('latin1')))
  }

  #step(exchange: SaslExchange, step: ReturnType<SaslExchange['next']>): ReturnType<Handler> {
    if (step.done !== true) {
      this.#sasl = exchange
      this.#wire.sayLines(334, [step.value])
      return undefined
    }
    return step.value.kind === 'refused' ? step.value.reply : this.#logIn(step.value)
  }

  async #logIn(credentials: { login: string; password: string }): Promise<Reply> {
    const { network } = this.#wire
    const answer = await this.#site.gate.attempt(credentials, network, this.#wire)
    if (answer.kind === 'refused') return answer.reply
    this.#principal = answer.principal
    this.#wire.loggedIn()
    return replies.LOGGED_IN
  }

  #quit(): undefined {
    this.#wire.say(replies.BYE)
    this.#wire.hangUp()
  }
}

function bare(handler: (session: Dialogue) => Reply | undefined): Handler {
  return (session, argument) => (argument === '' ? handler(session) : replies.NO_ARGUMENT)
}
