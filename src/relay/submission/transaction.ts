import { isAscii } from '../../mail/address.ts'
import type { Envelope, Recipient } from '../../mail/envelope.ts'
import type { MessageAllowance } from '../limits/meter.ts'
import type { MailParameters, RcptParameters } from './parameters.ts'

/** What MAIL has opened: the envelope in the making. Ends with the message, RSET, EHLO, STARTTLS or the connection. */
export class Transaction {
  readonly reversePath: string
  /** What the login may still send; undefined where it has no limits. */
  readonly allowance: MessageAllowance | undefined
  readonly #parameters: MailParameters
  // By the whole address: `Foo@` and `foo@` are two (RFC 5321 section 2.4), the same one said twice is one.
  readonly #recipients = new Map<string, Recipient>()
  #refused = 0

  constructor(
    reversePath: string,
    parameters: MailParameters,
    allowance: MessageAllowance | undefined,
  ) {
    this.reversePath = reversePath
    this.allowance = allowance
    this.#parameters = parameters
  }

  get smtputf8(): boolean {
    return this.#parameters.smtputf8
  }

  get recipients(): number {
    return this.#recipients.size
  }

  /** A recipient was asked for and refused. */
  get refused(): number {
    return this.#refused
  }

  has(address: string): boolean {
    return this.#recipients.has(address)
  }

  add(address: string, parameters: RcptParameters): void {
    this.#recipients.set(address, { address, ...parameters })
  }

  refuse(): void {
    this.#refused++
  }

  /**
   * @param found what looking at the content has shown: a message needs RFC 6531 because of what it holds, not
   * because the client said the word
   */
  envelope(found: { readonly eightBit: boolean; readonly eightBitHeader: boolean }): Envelope {
    const recipients = [...this.#recipients.values()]
    const { smtputf8, ret, envid } = this.#parameters
    const international = [this.reversePath, ...recipients.map(r => r.address)].some(
      address => !isAscii(address),
    )
    return {
      reversePath: this.reversePath,
      recipients,
      eightBit: found.eightBit,
      smtputf8: smtputf8 && (international || found.eightBitHeader),
      ...(ret === undefined ? {} : { ret }),
      ...(envid === undefined ? {} : { envid }),
    }
  }
}
