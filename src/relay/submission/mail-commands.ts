import type { Principal } from '../../directory/principal.ts'
import type { Reply } from '../../mail/reply.ts'
import { parsePath } from './command.ts'
import { Intake } from './intake.ts'
import { parseMailParameters, parseRcptParameters } from './parameters.ts'
import { judgeRecipient, judgeReversePath, type Refusal } from './policy.ts'
import * as replies from './replies.ts'
import type { Site } from './site.ts'
import { Transaction } from './transaction.ts'
import type { Wire } from './wire.ts'

/** MAIL, RCPT, DATA and RSET: one transaction at a time (RFC 5321 section 3.3). */
export class MailCommands {
  readonly #site: Site
  readonly #wire: Wire
  #transaction: Transaction | undefined

  constructor(site: Site, wire: Wire) {
    this.#site = site
    this.#wire = wire
  }

  /** Whether MAIL has begun a transaction. */
  get open(): boolean {
    return this.#transaction !== undefined
  }

  forget(): void {
    this.#transaction = undefined
  }

  mail(argument: string, principal: Principal | undefined): Reply {
    if (!principal) return replies.LOGIN_FIRST
    if (this.#transaction) return replies.NESTED_MAIL
    const parsed = parsePath('FROM', argument)
    if (!parsed) return replies.BAD_PATH
    const parameters = parseMailParameters(parsed.parameters, this.#site.limits)
    if (parameters.kind === 'refused') return parameters.reply
    const judged = judgeReversePath(parsed.path, principal, parameters.value, this.#site.policy)
    if (judged.kind === 'refused') return this.#refused(judged, principal)
    if (this.#site.ready() !== undefined) return replies.STORE_AWAY
    this.#transaction = new Transaction(judged.address, parameters.value)
    return replies.SENDER_OK
  }

  rcpt(argument: string, principal: Principal | undefined): Reply {
    const transaction = this.#transaction
    if (!transaction || !principal) return replies.MAIL_FIRST
    const answer = this.#recipient(transaction, argument, principal)
    if (answer !== replies.RECIPIENT_OK) transaction.refuse()
    return answer
  }

  data(principal: Principal | undefined): Reply | undefined {
    const transaction = this.#transaction
    if (!transaction || !principal) return replies.MAIL_FIRST
    if (transaction.recipients === 0) {
      return transaction.refused > 0 ? replies.NO_VALID_RECIPIENT : replies.RCPT_FIRST
    }
    if (this.#wire.unread > 0) {
      // RFC 2920 section 3.1. Were the connection kept, the content would be executed as commands.
      this.#wire.say(replies.EARLY_BODY)
      this.#wire.close()
      return undefined
    }
    this.#transaction = undefined
    this.#wire.receive(
      new Intake(this.#site, {
        transaction,
        principal,
        tls: this.#wire.tls,
        answer: reply => this.#wire.say(reply),
      }),
    )
    return replies.SEND_DATA
  }

  reset(): Reply {
    this.forget()
    return replies.RESET
  }

  #recipient(transaction: Transaction, argument: string, principal: Principal): Reply {
    const parsed = parsePath('TO', argument)
    if (!parsed) return replies.BAD_FORWARD_PATH
    const parameters = parseRcptParameters(parsed.parameters)
    if (parameters.kind === 'refused') return parameters.reply
    const taken = transaction.recipients
    const judged = judgeRecipient(parsed.path, taken, transaction, this.#site.policy)
    if (judged.kind === 'refused') return this.#refused(judged, principal)
    transaction.add(judged.address, parameters.value)
    return replies.RECIPIENT_OK
  }

  #refused(refusal: Refusal, principal: Principal): Reply {
    const { code, enhanced } = refusal.reply
    this.#site.report({
      kind: 'message-refused',
      login: principal.login,
      code,
      enhanced,
      reason: refusal.reason,
    })
    return refusal.reply
  }
}
