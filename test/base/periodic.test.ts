import { expect, test } from 'vitest'

import { Periodic } from '../../src/base/periodic.ts'
import { eventually } from '../support/server-process.ts'

test('it runs at once and again, one run after the other, and goes on after a failure', async () => {
  const failures: unknown[] = []
  let runs = 0
  let under = 0
  const part = new Periodic({
    name: 'sweep',
    every: 1,
    run: async () => {
      expect(++under).toBe(1)
      await new Promise(resolve => setImmediate(resolve))
      under--
      if (++runs === 2) throw new Error('no room')
    },
    failed: error => failures.push(error),
  })
  await part.start()
  await eventually(() => (runs >= 4 ? true : undefined), 'four runs')
  await part.stop()
  expect(failures).toEqual([new Error('no room')])
})

test('stopping waits for the run that is under way, and begins no other', async () => {
  let release: () => void = () => undefined
  let runs = 0
  const part = new Periodic({
    name: 'sweep',
    every: 0,
    run: () => {
      runs++
      return new Promise<void>(resolve => {
        release = resolve
      })
    },
    failed: () => undefined,
  })
  await part.start()
  let stopped = false
  const stopping = part.stop().then(() => {
    stopped = true
  })
  await new Promise(resolve => setImmediate(resolve))
  expect(stopped).toBe(false)
  release()
  await stopping
  expect(runs).toBe(1)
})
