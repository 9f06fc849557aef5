import { expect, test } from 'vitest'

import type { ProbeEvent } from '../../src/probe/events.ts'
import { Tracer } from '../../src/probe/tracer.ts'
import { canary, T0 } from '../contract/history-samples.ts'

test('a trace that does not answer is told once, and again after it has answered', async () => {
  const told: ProbeEvent[] = []
  let now = T0
  let answers = false
  const tracer = new Tracer({
    traceOf: () => ({
      fate: async () => {
        if (!answers) throw new Error('401')
        return undefined
      },
    }),
    report: event => told.push(event),
    clock: () => now,
  })
  const ask = async (): Promise<boolean> => {
    now += 2_000
    return (await tracer.trace({ ...canary(), queueId: 'QUEUED' })).away
  }
  expect([await ask(), await ask(), await ask()]).toEqual([true, true, true])
  const fault = { kind: 'probe-fault', part: `trace of ${canary().origin}`, cause: '401' }
  expect(told).toEqual([fault])
  answers = true
  expect(await ask()).toBe(false)
  answers = false
  await ask()
  expect(told).toEqual([fault, fault])
})
