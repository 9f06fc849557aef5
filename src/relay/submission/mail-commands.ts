import { messageOf } from '../../base/problem.ts'
import type { Principal } from '../../directory/principal.ts'
import type { Reply } from '../../mail/reply.ts'
import { WITHIN, type Judgement } from '../limits/judge.ts'
import type { Judged } from '../limits/meter.ts'
import { StoreUnavailable } from '../queue/store.ts'
import { parsePath } from './command.ts'
import { Intake } from './intake.ts'
import { DISK_RESERVE, DISK_SHARE, ENVELOPE_IN_MEMORY, RECIPIENT_IN_MEMORY } from './limits.ts'
import { overLimitEvent, overLimitReply } from './over-limit.ts'
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
    this.#wire.memory.giveBack()
  }

  mail(argument: string, principal: Principal | undefined): Reply | Promise<Reply> {
    if (!principal) return replies.LOGIN_FIRST
    if (this.#transaction) return replies.NESTED_MAIL
    const parsed = parsePath('FROM', argument)
    if (!parsed) return replies.BAD_PATH
    const parameters = parseMailParameters(parsed.parameters, this.#site.limits)
    if (parameters.kind === 'refused') return parameters.reply
    const judged = judgeReversePath(parsed.path, principal, parameters.value, this.#site.policy)
    if (judged.kind === 'refused') return this.#refused(judged, principal)
    if (!this.#wire.trusted && this.#site.ready() !== undefined) return replies.STORE_AWAY
    // RFC 1870 section 6.1
    if (!this.#hasSpaceFor(parameters.value.size)) {
      return this.#refused(shortage(replies.STORE_FULL, 'the disk is nearly full'), principal)
    }
    const allowance = this.#site.meter?.begin(principal.login, this.#wire)
    return this.#within(allowance?.message(), principal, () => {
      if (!this.#wire.memory.take(ENVELOPE_IN_MEMORY)) return this.#tooMuch(principal)
      this.#transaction = new Transaction(judged.address, parameters.value, allowance)
      return replies.SENDER_OK
    })
  }

  rcpt(argument: string, principal: Principal | undefined): Reply | Promise<Reply> {
    const transaction = this.#transaction
    if (!transaction || !principal) return replies.MAIL_FIRST
    const note = (answer: Reply): Reply => {
      if (answer !== replies.RECIPIENT_OK) transaction.refuse()
      return answer
    }
    const answer = this.#recipient(transaction, argument, principal)
    return answer instanceof Promise ? answer.then(note) : note(answer)
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
        authenticated: this.#wire.trusted === undefined,
        memory: this.#wire.memory,
        answer: reply => this.#wire.say(reply),
      }),
    )
    return replies.SEND_DATA
  }

  reset(): Reply {
    this.forget()
    return replies.RESET
  }

  #recipient(
    transaction: Transaction,
    argument: string,
    principal: Principal,
  ): Reply | Promise<Reply> {
    const parsed = parsePath('TO', argument)
    if (!parsed) return replies.BAD_FORWARD_PATH
    const parameters = parseRcptParameters(parsed.parameters)
    if (parameters.kind === 'refused') return parameters.reply
    const taken = transaction.recipients
    const judged = judgeRecipient(parsed.path, taken, transaction, this.#site.policy)
    if (judged.kind === 'refused') return this.#refused(judged, principal)
    // Said twice it is one, and costs nothing.
    if (transaction.has(judged.address)) return replies.RECIPIENT_OK
    return this.#within(transaction.allowance?.recipient(judged.address), principal, () => {
      if (!this.#wire.memory.take(argument.length + RECIPIENT_IN_MEMORY)) {
        return this.#tooMuch(principal)
      }
      transaction.add(judged.address, parameters.value)
      return replies.RECIPIENT_OK
    })
  }

  /** Goes on where the login is within its limits, be it to be held; tells it otherwise to come later. */
  #within(
    asked: Judged | undefined,
    principal: Principal,
    goOn: () => Reply,
  ): Reply | Promise<Reply> {
    const go = (judged: Judgement): Reply => {
      if (judged.kind !== 'defer') return goOn()
      this.#site.report(overLimitEvent(judged, principal.login))
      return this.#refused(shortage(overLimitReply(judged), 'over a limit'), principal)
    }
    if (!(asked instanceof Promise)) return go(asked ?? WITHIN)
    return asked.then(go, (error: unknown) => {
      if (!(error instanceof StoreUnavailable)) throw error
      const answer = error.full ? replies.STORE_FULL : replies.STORE_AWAY
      return this.#refused(shortage(answer, messageOf(error)), principal)
    })
  }

  #hasSpaceFor(size = 0): boolean {
    const free = this.#site.freeSpace()
    return free === undefined || free >= Math.max(DISK_SHARE * size, DISK_RESERVE)
  }

  #tooMuch(principal: Principal): Reply {
    return this.#refused(shortage(replies.OUT_OF_MEMORY, 'too much mail at once'), principal)
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

function shortage(answer: Reply, reason: string): Refusal {
  return { kind: 'refused', reply: answer, reason }
}
