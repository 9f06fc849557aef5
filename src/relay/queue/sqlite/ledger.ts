import type { Judgement } from '../../limits/judge.ts'
import type { Charge, Ledger } from '../../limits/ledger.ts'
import type { Usage } from '../../limits/usage.ts'
import type { BodyWriter, NewMessage } from '../store.ts'
import type { Counting } from './counting.ts'
import { reading } from './failure.ts'
import type { GroupCommit } from './group-commit.ts'
import type { Putting } from './putting.ts'
import type { Reserving } from './reserving.ts'
import { SqliteBody } from './sqlite-body.ts'

interface Parts {
  readonly group: GroupCommit
  readonly reserving: Reserving
  readonly putting: Putting
  readonly counting: Counting
}

/** The ledger in the queue's file: a message, and what it costs its login, are one commit. */
export class SqliteLedger implements Ledger {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async usage(login: string, now: number): Promise<Usage> {
    return reading(() => this.#parts.counting.usage(login, now))
  }

  async unknown(login: string, digests: readonly Buffer[]): Promise<number> {
    return reading(() => this.#parts.counting.unknown(login, digests))
  }

  async putCounted(
    message: NewMessage,
    body: BodyWriter,
    charge: Charge,
    reasonOf: (judgement: Judgement) => string,
  ): Promise<Judgement> {
    if (!(body instanceof SqliteBody)) throw new TypeError('a body of another store')
    const { reserving, putting, counting } = this.#parts
    const preparing = body.prepare()
    if (preparing !== undefined) await preparing
    return reserving.run(slots => {
      const to = counting.acquaintance(charge.login, charge.digests)
      const fresh = to.filter(({ lastAt }) => lastAt === undefined).length
      const judgement = counting.judge(charge, fresh)
      if (judgement.kind === 'defer') return judgement
      const held = judgement.kind === 'hold'
      const kept = held ? { ...message, hold: reasonOf(judgement) } : message
      putting.put(kept, body.content, slots)
      counting.charge(charge, fresh, held ? [] : to)
      return judgement
    })
  }

  async forget(now: number): Promise<void> {
    const { group, counting } = this.#parts
    await group.run(() => counting.forgetSteps(now))
    for (let login = this.#loginAfter(''); login !== undefined; login = this.#loginAfter(login)) {
      const of = login
      while ((await group.run(() => counting.forgetRecipients(of, now))) > 0);
    }
  }

  #loginAfter(login: string): string | undefined {
    return reading(() => this.#parts.counting.loginAfter(login))
  }
}
