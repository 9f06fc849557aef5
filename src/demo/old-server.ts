import type { CertificatePair } from '../base/certificate.ts'
import type { Clock, Random } from '../base/clock.ts'
import { SECOND } from '../base/clock.ts'
import type { Part } from '../base/lifecycle.ts'
import { domainOf } from '../mail/envelope.ts'
import type { Behaviour } from './behaviour.ts'
import type { SimulatedProvider } from './provider.ts'
import { dataStep, SmtpListener, SmtpRefusal, step } from './smtp-listener.ts'

export interface OldServerOptions {
  readonly host: string
  /** 0 for any. */
  readonly port: number
  readonly certificate: CertificatePair
  readonly username: string
  readonly password: string
  readonly providers: readonly SimulatedProvider[]
  readonly clock: Clock
  readonly random: Random
  /** Milliseconds from 250 to the first attempt, at least and at most, and between attempts. */
  readonly pace?: { readonly fastest: number; readonly slowest: number; readonly retry: number }
}

interface Queued {
  readonly reversePath: string
  readonly recipients: readonly string[]
  readonly raw: Buffer
  readonly tries: number
}

// It is slow: an old machine that runs its queue now and then.
const PACE = { fastest: SECOND, slowest: 4 * SECOND, retry: 15 * SECOND }
const MOST_TRIES = 20
const MOST_QUEUED = 200

/**
 * The organisation's server of former times, an origin to compare with: no SPF record names it, it signs nothing, it
 * is slow, and it tells nobody what became of a message.
 */
export class OldServer implements Part {
  readonly name = 'old server'
  readonly #options: OldServerOptions
  readonly #listener: SmtpListener
  readonly #timers = new Set<NodeJS.Timeout>()
  #behaviour: Behaviour = 'inbox'

  constructor(options: OldServerOptions) {
    this.#options = options
    const { certificate } = options
    this.#listener = new SmtpListener(
      options,
      {
        name: 'old.example.org',
        key: certificate.key,
        cert: certificate.certificate,
        authMethods: ['PLAIN', 'LOGIN'],
        onAuth: (auth, _, callback) => {
          const known = auth.username === options.username && auth.password === options.password
          if (known) callback(null, { user: auth.username })
          else callback(new SmtpRefusal({ code: 535, text: '5.7.8 Authentication failed' }))
        },
        onRcptTo: (recipient, _, callback) => step(callback, () => this.#objection(recipient)),
        onData: (stream, session, callback) =>
          void dataStep(stream, callback, raw => {
            const id = session.id.toUpperCase()
            const { mailFrom, rcptTo } = session.envelope
            this.#enqueue({
              reversePath: mailFrom === false ? '' : mailFrom.address,
              recipients: rcptTo.map(({ address }) => address),
              raw: Buffer.concat([Buffer.from(this.#received(id)), raw]),
              tries: 0,
            })
            return `2.0.0 Ok: queued as ${id}`
          }),
      },
      () => this.#behaviour !== 'unreachable',
    )
  }

  get port(): number {
    return this.#listener.port
  }

  behave(behaviour: Behaviour): void {
    this.#behaviour = behaviour
    if (behaviour === 'unreachable') this.#listener.hangUp()
  }

  start(): Promise<void> {
    return this.#listener.start()
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    await this.#listener.stop()
  }

  get #pace(): typeof PACE {
    return this.#options.pace ?? PACE
  }

  #objection(recipient: { address: string }): { code: number; text: string } | undefined {
    if (this.#behaviour === 'refuse') {
      return { code: 554, text: `5.7.1 <${recipient.address}>: Relay access denied` }
    }
    if (this.#providerOf(recipient.address) === undefined) {
      return { code: 550, text: `5.1.2 <${recipient.address}>: Domain not found` }
    }
    return undefined
  }

  #received(id: string): string {
    const date = new Date(this.#options.clock()).toUTCString().replace('GMT', '+0000')
    return `Received: by old.example.org (Postfix) with ESMTPSA id ${id};\r\n\t${date}\r\n`
  }

  #providerOf(address: string): SimulatedProvider | undefined {
    const domain = domainOf(address)
    return this.#options.providers.find(({ profile }) => profile.domains.includes(domain))
  }

  #enqueue(queued: Queued): void {
    if (this.#timers.size >= MOST_QUEUED) {
      throw new SmtpRefusal({ code: 452, text: '4.3.1 Insufficient system storage' })
    }
    const { fastest, slowest } = this.#pace
    this.#after(fastest + this.#options.random() * (slowest - fastest), queued)
  }

  #after(wait: number, queued: Queued): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      this.#deliver(queued)
    }, wait)
    this.#timers.add(timer)
  }

  #deliver(queued: Queued): void {
    const later: string[] = []
    for (const recipient of queued.recipients) {
      const answer = this.#providerOf(recipient)
        ?.receive({
          client: { name: 'old.example.org', address: '127.0.0.1', tls: '', permitted: false },
          reversePath: queued.reversePath,
          recipients: [recipient],
          raw: queued.raw,
        })
        .get(recipient)
      // What is refused for good is dropped without a word: it is that kind of server.
      if (answer && answer.code >= 400 && answer.code < 500) later.push(recipient)
    }
    if (later.length === 0 || queued.tries >= MOST_TRIES) return
    this.#after(this.#pace.retry, { ...queued, recipients: later, tries: queued.tries + 1 })
  }
}
