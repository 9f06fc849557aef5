import { expect, test } from 'vitest'

import { Outage } from '../../../src/relay/queue/outage.ts'
import { StoreUnavailable } from '../../../src/relay/queue/store.ts'

const AWAY = new StoreUnavailable('the disk is full', { full: true })
const { signal: NEVER } = new AbortController()

/** An outage, and what was said of it. */
function observed(): { outage: Outage; said: unknown[] } {
  const said: unknown[] = []
  return { outage: new Outage(1, error => said.push(error)), said }
}

/** Fails as often as this, then works. */
function failing(times: number, error: unknown = AWAY): () => Promise<string> {
  let left = times
  return async () => {
    if (left-- > 0) throw error
    return 'stored'
  }
}

test('is said once, however often it is met, and the next one again', async () => {
  const { outage, said } = observed()
  expect(await outage.outlast(failing(3), NEVER)).toBe('stored')
  expect(said).toEqual([AWAY])
  expect(outage.present).toBe(false)
  outage.failed(AWAY)
  expect(outage.present).toBe(true)
  expect(said).toEqual([AWAY, AWAY])
  outage.over()
  expect(outage.present).toBe(false)
})

test('is not what a fault of ours makes: that is said each time, and thrown', async () => {
  const { outage, said } = observed()
  const fault = new TypeError('a fault of ours')
  await expect(outage.outlast(failing(1, fault), NEVER)).rejects.toBe(fault)
  outage.failed(fault)
  outage.failed(fault)
  expect(said).toEqual([fault, fault])
  expect(outage.present).toBe(false)
})

test('is not outlasted by one who has to stop', async () => {
  const { outage } = observed()
  const stopping = new AbortController()
  const waiting = outage.outlast(failing(100), stopping.signal)
  stopping.abort()
  expect(await waiting).toBeUndefined()
})
