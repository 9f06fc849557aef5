import { expect, test } from 'vitest'

import { Docket } from '../../src/probe/docket.ts'
import type { ProbeEvent } from '../../src/probe/events.ts'
import type { Look } from '../../src/probe/model.ts'
import { SqliteHistory } from '../../src/probe/sqlite-history.ts'
import { canary, T0 } from '../contract/history-samples.ts'

const one = canary()
const NOW = one.deadlineAt + 60_000
const look: Look = {
  seed: one.seed,
  beganAt: one.deadlineAt + 1,
  endedAt: one.deadlineAt + 2,
  complete: true,
  detail: '',
}

/** A history that keeps the answers of `decide` back until `answer`, although it has written the verdict down. */
class SlowHistory extends SqliteHistory {
  readonly #answers: (() => void)[] = []
  failing = false

  override async decide(...args: Parameters<SqliteHistory['decide']>): Promise<boolean> {
    const ours = await super.decide(...args)
    await new Promise<void>(resolve => this.#answers.push(resolve))
    if (this.failing) throw new Error('the connection is gone')
    return ours
  }

  get waiting(): number {
    return this.#answers.length
  }

  answer(): void {
    for (const resolve of this.#answers.splice(0)) resolve()
  }
}

async function rig(): Promise<{ history: SlowHistory; docket: Docket; told: ProbeEvent[] }> {
  const history = new SlowHistory(':memory:')
  await history.begin(one)
  await history.submitted(one.id, T0 + 1, 'QUEUED')
  const told: ProbeEvent[] = []
  const docket = new Docket({
    history,
    report: event => told.push(event),
    clock: () => NOW,
    traceOf: () => undefined,
    bouncesOf: () => undefined,
    signal: new AbortController().signal,
  })
  return { history, docket, told }
}

async function written(history: SlowHistory): Promise<void> {
  while (history.waiting === 0) await new Promise(setImmediate)
}

test('two looks at once tell one verdict once, whichever hears of it first', async () => {
  const { history, docket, told } = await rig()
  const first = docket.review(one, look)
  await written(history)
  // It stands there, and the one who wrote it does not know yet.
  await docket.review(one, look)
  history.answer()
  await first
  expect(told.filter(({ kind }) => kind === 'verdict')).toHaveLength(1)
  await history.close()
})

test('a verdict whose writer never heard that it was written is told by the next look, once', async () => {
  const { history, docket, told } = await rig()
  history.failing = true
  const first = docket.review(one, look)
  await written(history)
  history.answer()
  await expect(first).rejects.toThrow('the connection is gone')
  for (let i = 0; i < 2; i++) await docket.review(one, look)
  expect(told.filter(({ kind }) => kind === 'verdict')).toHaveLength(1)
  await history.close()
})
