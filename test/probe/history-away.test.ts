import { expect, test } from 'vitest'

import { SqliteHistory } from '../../src/probe/sqlite-history.ts'
import { running, QUEUED, REFUSED, ScriptedMailbox, SEED } from './scripted-mailbox.ts'
import { PROBE, proberOf } from './world.ts'

/** A history over a database that goes away: before a write, or after it and before its answer. */
class FailingHistory extends SqliteHistory {
  readonly #failing: 'submitted' | 'decide' | 'answer'
  failures: number

  constructor(failing: 'submitted' | 'decide' | 'answer', failures: number) {
    super(':memory:')
    this.#failing = failing
    this.failures = failures
  }

  override async submitted(...args: Parameters<SqliteHistory['submitted']>): Promise<void> {
    if (this.#failing === 'submitted') this.#fail()
    await super.submitted(...args)
  }

  override async decide(...args: Parameters<SqliteHistory['decide']>): Promise<boolean> {
    if (this.#failing === 'decide') this.#fail()
    const decided = await super.decide(...args)
    if (this.#failing === 'answer') this.#fail()
    return decided
  }

  #fail(): void {
    if (this.failures-- > 0) throw new Error('the database is away')
  }
}

const options = { seeds: [SEED], mailboxFor: () => new ScriptedMailbox() }

test('that the origin took it is not forgotten while the database is away', async () => {
  const history = new FailingHistory('submitted', 1)
  const probes = [{ ...PROBE, deadline: 1_500 }]
  const { prober } = proberOf({ ...options, history, probes, submit: QUEUED })
  await running(prober)
  const { verdict } = await prober.runOnce(PROBE.name)
  // Without the word of the origin nobody would know whether it ever left.
  expect(verdict).toEqual({ kind: 'missing', stage: 'submitted' })
})

test.each(['decide', 'answer'] as const)(
  'a refusal of the origin is told once, though the database is away (%s)',
  async failing => {
    const history = new FailingHistory(failing, 1)
    const { prober, events } = proberOf({ ...options, history, submit: async () => REFUSED })
    await running(prober)
    const { verdict } = await prober.runOnce(PROBE.name)
    expect(verdict).toMatchObject({ kind: 'rejected', cause: 'refused' })
    expect(events.filter(event => event.kind === 'verdict')).toHaveLength(1)
  },
)
