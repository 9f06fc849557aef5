import { randomBytes } from 'node:crypto'

import { SECOND, type Clock, type Random } from '../base/clock.ts'
import type { Part } from '../base/lifecycle.ts'
import { domainOf } from '../mail/envelope.ts'
import type { Behaviour } from './behaviour.ts'
import type { Client, HeaderWriter } from './delivery-header.ts'
import { spell, type Dialect, type SmtpAnswer, type Stage } from './dialect.ts'
import { Account } from './imap/account.ts'
import { fieldOf } from './imap/header.ts'
import type { Quirks } from './imap/quirks.ts'

/** What one simulated provider is: data. */
export interface ProviderProfile {
  /** Label of the provider, as in the provider table. */
  readonly name: string
  /** The first is that of the seed address. */
  readonly domains: readonly [string, ...string[]]
  readonly mxHost: string
  readonly imapHost: string
  /** Local part of the seed address. */
  readonly seed: string
  /** Takes mail for every local part, into the one account. */
  readonly catchAll: boolean
  readonly dialect: Dialect
  readonly header: HeaderWriter
  readonly quirks: Quirks
  /** A folder that is neither inbox nor junk. */
  readonly otherFolder: string
  /** Time from 250 to the folder, milliseconds: at least and at most. */
  readonly latency: readonly [number, number]
}

export interface ProviderOptions {
  readonly profile: ProviderProfile
  readonly password: string
  readonly clock: Clock
  readonly random: Random
  /** How long `late` takes, milliseconds. */
  readonly lateAfter: number
}

/** One message, handed over in one transaction. */
export interface Handover {
  readonly client: Client
  readonly reversePath: string
  readonly recipients: readonly string[]
  readonly raw: Buffer
}

// Of mail that comes from a host no SPF record names.
const SPAM_SHARE_OF_STRANGERS = 0.35

/** A provider: what it answers, what it writes on top, and where it files. */
export class SimulatedProvider implements Part {
  readonly name: string
  readonly profile: ProviderProfile
  readonly account: Account
  readonly #options: ProviderOptions
  readonly #pending = new Set<NodeJS.Timeout>()
  #behaviour: Behaviour = 'inbox'
  #stopped = false

  constructor(options: ProviderOptions) {
    this.name = options.profile.name
    this.profile = options.profile
    this.#options = options
    this.account = new Account(
      this.seedAddress,
      options.password,
      options.profile.quirks.folders,
      Math.floor(options.clock() / SECOND),
    )
  }

  get seedAddress(): string {
    return `${this.profile.seed}@${this.profile.domains[0]}`
  }

  get behaviour(): Behaviour {
    return this.#behaviour
  }

  behave(behaviour: Behaviour): void {
    this.#behaviour = behaviour
  }

  /** What the provider says at this stage instead of going on; undefined to go on. */
  objection(stage: Stage, client: Client, recipient = ''): SmtpAnswer | undefined {
    const { dialect } = this.profile
    if (stage === 'recipient' && !this.#serves(recipient)) {
      return this.#spelt(dialect.unknownRecipient, client, recipient)
    }
    const answer =
      this.#behaviour === 'defer'
        ? dialect.deferred
        : this.#behaviour === 'refuse'
          ? dialect.refused
          : undefined
    return answer?.stage === stage ? this.#spelt(answer, client, recipient) : undefined
  }

  /** Takes a message that met no objection. @returns the text of the 250 */
  take(handover: Handover): string {
    const id = randomBytes(8).toString('hex')
    for (const recipient of handover.recipients) this.#file(handover, recipient, id)
    return spell(this.profile.dialect.accepted, this.#blanks(handover.client, '', id))
  }

  /** The whole dialogue at once, for who speaks no SMTP: every recipient's answer. */
  receive(handover: Handover): ReadonlyMap<string, SmtpAnswer> {
    const { client } = handover
    const early = this.objection('mail', client)
    const answers = new Map<string, SmtpAnswer>()
    const taken: string[] = []
    for (const recipient of handover.recipients) {
      const answer =
        early ?? this.objection('recipient', client, recipient) ?? this.objection('data', client)
      if (answer) answers.set(recipient, answer)
      else taken.push(recipient)
    }
    if (taken.length > 0) {
      const text = this.take({ ...handover, recipients: taken })
      for (const recipient of taken) answers.set(recipient, { code: 250, text })
    }
    return answers
  }

  start(): Promise<void> {
    return Promise.resolve()
  }

  /** Mail that is accepted and not yet filed is forgotten. */
  stop(): Promise<void> {
    this.#stopped = true
    for (const timer of this.#pending) clearTimeout(timer)
    this.#pending.clear()
    return Promise.resolve()
  }

  #serves(recipient: string): boolean {
    if (!this.profile.domains.includes(domainOf(recipient))) return false
    // Providers compare without case; Gmail's dots and plus signs are not simulated.
    const local = recipient.slice(0, recipient.lastIndexOf('@')).toLowerCase()
    return this.profile.catchAll || local === this.profile.seed
  }

  #file(handover: Handover, recipient: string, id: string): void {
    const { clock, random, lateAfter } = this.#options
    const behaviour = this.#behaviour
    if (behaviour === 'lose' || this.#stopped) return
    const stranger = !handover.client.permitted && random() < SPAM_SHARE_OF_STRANGERS
    const spam = behaviour === 'spam' || (stranger && behaviour !== 'other')
    const facts = {
      ...handover,
      recipient,
      host: this.profile.mxHost,
      id,
      receivedAt: clock(),
      spam,
    }
    const raw = Buffer.concat([Buffer.from(this.profile.header(facts), 'latin1'), handover.raw])
    const [least, most] = this.profile.latency
    const wait = least + random() * (most - least) + (behaviour === 'late' ? lateAfter : 0)
    const timer = setTimeout(() => {
      this.#pending.delete(timer)
      this.#append(raw, spam ? 'spam' : behaviour === 'other' ? 'other' : 'inbox')
    }, wait)
    this.#pending.add(timer)
  }

  #append(raw: Buffer, placement: 'inbox' | 'spam' | 'other'): void {
    const { quirks, otherFolder } = this.profile
    const internalDate = this.#options.clock()
    const mailbox =
      placement === 'spam'
        ? this.account.withAttribute(String.raw`\Junk`)
        : this.account.get(placement === 'other' ? otherFolder : 'INBOX')
    // Bulk mail goes under another tab of the inbox, which is no folder.
    const tab = fieldOf(raw, 'list-unsubscribe') === undefined ? 'primary' : 'promotions'
    const stored = mailbox?.append({ raw, internalDate, tab })
    if (quirks.allMail === '' || placement === 'spam' || !stored) return
    const labels = [placement === 'inbox' ? String.raw`\Inbox` : otherFolder]
    const { gmailId } = stored
    this.account.get(quirks.allMail)?.append({ raw, internalDate, tab, gmailId, labels })
  }

  #spelt(answer: SmtpAnswer, client: Client, recipient: string): SmtpAnswer {
    const blanks = this.#blanks(client, recipient, randomBytes(8).toString('hex'))
    return { code: answer.code, text: spell(answer.text, blanks) }
  }

  #blanks(client: Client, r: string, q: string): Parameters<typeof spell>[1] {
    return { i: client.address, h: this.profile.mxHost, r, q }
  }
}
