import type { Clock } from '../../base/clock.ts'
import type { BodyWriter, NewMessage } from '../queue/store.ts'
import { judge, titleOf, WITHIN, type Judgement } from './judge.ts'
import type { Ledger } from './ledger.ts'
import { isUnlimited, type LoginLimits } from './login-limits.ts'
import type { RecipientDigests } from './recipient-digests.ts'
import type { Usage } from './usage.ts'

interface MeterOptions {
  readonly ledger: Ledger
  readonly limitsOf: (login: string) => LoginLimits
  readonly digests: RecipientDigests
  readonly clock: Clock
}

/** What sessions ask about limits. */
export interface Metering {
  /**
   * Begins a message.
   *
   * @param client that has one message at a time
   * @returns undefined for a login without limits
   */
  begin(login: string, client: { readonly signal: AbortSignal }): MessageAllowance | undefined
}

/** A judgement, at once where nobody has to be asked. */
export type Judged = Judgement | Promise<Judgement>

/** What a session asks about one message: see `Allowance`. */
export interface MessageAllowance {
  message(): Judged
  recipient(address: string): Judged
  put(message: NewMessage, body: BodyWriter): Promise<Judgement>
  ample?(recipients: number): boolean
}

/** Messages that may be let pass between two questions where there is room for so many of the largest size. */
export const AMPLE = 20

/** Holds what logins send against their limits. */
export class Meter implements Metering {
  readonly #options: MeterOptions

  constructor(options: MeterOptions) {
    this.#options = options
  }

  /** Begins a message. @returns undefined for a login without limits */
  begin(login: string): Allowance | undefined {
    const limits = this.#options.limitsOf(login)
    return isUnlimited(limits) ? undefined : new Allowance(this.#options, login, limits)
  }
}

/**
 * One message of a login that has limits. What MAIL and RCPT are told is early and may be late: the last word has
 * `put`, in the transaction that counts.
 */
export class Allowance implements MessageAllowance {
  readonly #options: MeterOptions
  readonly #login: string
  readonly #limits: LoginLimits
  #usage: Usage = []
  #recipients = 0
  #fresh = 0

  constructor(options: MeterOptions, login: string, limits: LoginLimits) {
    this.#options = options
    this.#login = login
    this.#limits = limits
  }

  /** At MAIL: may there be one more message? @throws StoreUnavailable */
  async message(): Promise<Judgement> {
    const now = this.#options.clock()
    this.#usage = await this.#options.ledger.usage(this.#login, now)
    return judge(this.#usage, { messages: 1, recipients: 1, fresh: 0 }, this.#limits, now)
  }

  /**
   * Whether so much is left, as far as `message` has seen, that a message of any size is far from every limit: then
   * nobody needs to be asked before `put`.
   *
   * @param recipients the most that a message may have
   */
  ample(recipients: number): boolean {
    const wanted = { messages: AMPLE, recipients: AMPLE * recipients, fresh: AMPLE * recipients }
    return judge(this.#usage, wanted, this.#limits, this.#options.clock()).kind === 'within'
  }

  /** At RCPT: may it have this recipient as well? Counts it unless it is deferred. @throws StoreUnavailable */
  async recipient(address: string): Promise<Judgement> {
    const { clock, digests, ledger } = this.#options
    const fresh = this.#asksWhoIsNew
      ? await ledger.unknown(this.#login, [digests.of(this.#login, address)])
      : 0
    const judged = judge(
      this.#usage,
      {
        messages: 0,
        recipients: this.#recipients + 1,
        // One who is known takes no place of the new ones, be they used up or not.
        fresh: fresh === 0 ? 0 : this.#fresh + 1,
      },
      this.#limits,
      clock(),
    )
    if (judged.kind === 'defer') return judged
    this.#recipients++
    this.#fresh += fresh
    return WITHIN
  }

  /**
   * Puts the message, unless that would be over a limit that defers; over one that holds it is put and kept back.
   *
   * @throws StoreUnavailable
   */
  put(message: NewMessage, body: BodyWriter): Promise<Judgement> {
    const { clock, digests, ledger } = this.#options
    const now = clock()
    const { recipients } = message.envelope
    const all = new Map<string, Buffer>()
    if (this.#asksWhoIsNew) {
      for (const { address } of recipients) {
        const digest = digests.of(this.#login, address)
        all.set(digest.toString('latin1'), digest)
      }
    }
    return ledger.putCounted(
      message,
      body,
      {
        login: this.#login,
        now,
        recipients: recipients.length,
        digests: [...all.values()],
        judge: (usage, wanted) => judge(usage, wanted, this.#limits, now),
      },
      judged => (judged.kind === 'within' ? '' : `over the ${titleOf(judged)}`),
    )
  }

  get #asksWhoIsNew(): boolean {
    return this.#limits.new_recipients_per_day !== Infinity
  }
}
