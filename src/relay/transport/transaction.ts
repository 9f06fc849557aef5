import type { Recipient } from '../../mail/envelope.ts'
import { formatReply, type Reply } from '../../mail/reply.ts'
import { mailCommand, obstacle, rcptCommand, unspeakable } from './envelope-commands.ts'
import type { HostJudge, HostResult } from './host-result.ts'
import type { ReceivedReply } from './reply-reader.ts'
import { sendBody } from './send-body.ts'
import { category, type SmtpClient } from './smtp-client.ts'
import { faultOf, SmtpFault, StaleConnection } from './smtp-fault.ts'
import type { Consignment } from './transport.ts'

/**
 * One mail transaction (RFC 5321 section 3.3) with several recipients. Each gets its own result: some may be refused
 * while the message goes to the others.
 *
 * Afterwards the client may be used again if its wire is clean.
 *
 * @param dotSent told right before the final dot: from there on giving up early makes duplicates
 * @returns one result for each of `recipients`, in their order
 * @throws StaleConnection before anything else, and what reading the body throws; no dot is sent then, so that nobody takes
 * half a message for a whole
 */
export async function transact(
  client: SmtpClient,
  mail: Consignment,
  recipients: readonly Recipient[],
  judge: HostJudge,
  dotSent: () => void,
): Promise<readonly HostResult[]> {
  const transaction = new Transaction(client, mail, recipients, judge)
  await transaction.run(dotSent)
  return transaction.results()
}

class Transaction {
  readonly #client: SmtpClient
  readonly #mail: Consignment
  readonly #recipients: readonly Recipient[]
  readonly #judge: HostJudge
  readonly #results: (HostResult | undefined)[]
  /** The server's last 421: the reason for the lost connection that follows it (RFC 5321 section 3.8). */
  #goodbye: Reply | undefined

  constructor(
    client: SmtpClient,
    mail: Consignment,
    recipients: readonly Recipient[],
    judge: HostJudge,
  ) {
    this.#client = client
    this.#mail = mail
    this.#recipients = recipients
    this.#judge = judge
    this.#results = recipients.map(recipient => {
      const reply = unspeakable(mail, recipient)
      return reply && judge.impossible(reply, 'other')
    })
  }

  results(): readonly HostResult[] {
    return this.#results.map(
      result => result ?? this.#judge.broken(new SmtpFault('protocol', 'no result')),
    )
  }

  async run(dotSent: () => void): Promise<void> {
    const { timers, wire, capabilities } = this.#client
    const reply = obstacle(this.#mail, capabilities)
    if (reply) return this.#rest(this.#judge.incapable(reply, 'content'))
    if (this.#open().length === 0) return
    this.#client.messages++
    try {
      const taken = await this.#envelope()
      if (!taken && !this.#pipelined) return
      const answer = this.#pipelined
        ? await wire.reply(timers.data, 'DATA')
        : await this.#client.command('DATA', timers.data)
      if (!taken) return await this.#toNobody(answer.reply)
      // Only 354 asks for the message (RFC 5321 section 4.3.2); a 250 here is not an acceptance of anything.
      if (answer.reply.code !== 354) return this.#refused(answer.reply)
      await sendBody(this.#client, this.#mail.body(), dotSent)
    } catch (error) {
      wire.destroy()
      if (error instanceof SmtpFault) return this.#rest(this.#broken(error))
      throw error
    }
    await this.#final()
  }

  /** @returns whether anybody is left to send to */
  async #envelope(): Promise<boolean> {
    const { wire, timers, capabilities } = this.#client
    const open = this.#open()
    const mail = mailCommand(this.#mail, capabilities)
    const commands = open.map(index => rcptCommand(this.#recipient(index), capabilities))
    const pipelined = this.#pipelined
    const { reply } = await this.#begin(pipelined ? [mail, ...commands, 'DATA'] : [mail])
    const accepted = category(reply) === 2
    if (!accepted) this.#refused(reply)
    if (!accepted && !pipelined) return false
    let taken = 0
    for (const [position, index] of open.entries()) {
      const answer = pipelined
        ? await wire.reply(timers.rcpt, 'RCPT')
        : await this.#client.command(commands[position] ?? '', timers.rcpt, 'RCPT')
      if (!accepted) continue
      if (category(answer.reply) === 2) taken++
      else this.#results[index] = this.#rcptRefused(answer.reply, taken)
    }
    return taken > 0
  }

  /**
   * Sends the envelope, on a connection that lay idle behind RSET: that shows whether it still works, and ends what a
   * refused transaction may have left open.
   *
   * @returns the reply to MAIL
   */
  async #begin(group: readonly string[]): Promise<ReceivedReply> {
    const { wire, timers, rested } = this.#client
    // RFC 2920 section 3.1: RSET may stand anywhere in a group, DATA only at its end.
    const sent = rested && this.#pipelined
    if (rested && !(await this.#client.reset(sent ? group : []))) throw new StaleConnection()
    if (sent) return wire.reply(timers.mail, 'MAIL')
    return this.#client.command(group.join('\r\n'), timers.mail, 'MAIL')
  }

  /** RFC 2920 section 3.1: a server that asks for a message although it has taken no recipient gets an empty one. */
  async #toNobody(answer: Reply): Promise<void> {
    if (answer.code !== 354) return
    const { timers, wire } = this.#client
    await wire.write('.\r\n', timers.block, 'a message to nobody')
    await wire.reply(timers.data, 'a message to nobody')
  }

  async #final(): Promise<void> {
    const { wire, timers, capabilities } = this.#client
    try {
      const { reply } = await wire.reply(timers.final, 'the final dot')
      if (category(reply) === 2) {
        return this.#rest(this.#judge.delivered(reply, capabilities.has('DSN')))
      }
      if (category(reply) === 4 || category(reply) === 5) return this.#refused(reply)
      throw new SmtpFault('protocol', reply)
    } catch (error) {
      wire.destroy()
      this.#rest(this.#judge.indeterminate(faultOf(error, 'protocol')))
    }
  }

  /** A reply to MAIL, DATA or the final dot that is not the one hoped for: for all that are still open. */
  #refused(reply: Reply): void {
    if (category(reply) === 4 || category(reply) === 5) {
      this.#closing(reply)
      return this.#rest(this.#judge.refused(reply))
    }
    this.#client.wire.destroy()
    const words = `the server answered out of turn: ${formatReply(reply)}`
    this.#rest(this.#judge.broken(new SmtpFault('protocol', words)))
  }

  #rcptRefused(reply: Reply, taken: number): HostResult {
    this.#closing(reply)
    if (category(reply) === 3) {
      throw new SmtpFault('protocol', `the server answered RCPT by ${formatReply(reply)}`)
    }
    // RFC 5321 section 4.5.3.1.10: an old way to say 452, too many recipients. A full mailbox has its own 5.2.2.
    const tooMany = reply.code === 552 && taken > 0 && ['', '5.5.3'].includes(reply.enhanced)
    return this.#judge.refused(reply, { temporary: tooMany })
  }

  /** RFC 5321 section 3.8: after a 421 the server closes; what is lost then, is lost for the reason it gave. */
  #closing(reply: Reply): void {
    if (reply.code === 421) this.#goodbye = reply
  }

  #broken(fault: SmtpFault): HostResult {
    if (fault.kind === 'reply') return this.#judge.refused(fault.reply)
    if (fault.kind === 'lost' && this.#goodbye) return this.#judge.refused(this.#goodbye)
    return this.#judge.broken(fault)
  }

  get #pipelined(): boolean {
    return this.#client.capabilities.has('PIPELINING')
  }

  #open(): number[] {
    return [...this.#results.keys()].filter(index => this.#results[index] === undefined)
  }

  #recipient(index: number): Recipient {
    const recipient = this.#recipients[index]
    if (!recipient) throw new RangeError(`no recipient ${index}`)
    return recipient
  }

  #rest(result: HostResult): void {
    for (const index of this.#open()) this.#results[index] = result
  }
}
