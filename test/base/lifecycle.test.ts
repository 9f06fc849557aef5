import { expect, test } from 'vitest'

import { startInOrder, type Part } from '../../src/base/lifecycle.ts'

function parts(log: string[], faults: Readonly<Record<string, string>> = {}): Part[] {
  return ['store', 'runner', 'listener'].map(name => ({
    name,
    start: () => step(`start ${name}`),
    stop: () => step(`stop ${name}`),
  }))
  function step(what: string): Promise<void> {
    log.push(what)
    return what in faults ? Promise.reject(new Error(faults[what])) : Promise.resolve()
  }
}

test('parts start in order and stop in reverse, once', async () => {
  const log: string[] = []
  const stop = await startInOrder(parts(log))
  await Promise.all([stop(), stop()])
  expect(log).toEqual([
    'start store',
    'start runner',
    'start listener',
    'stop listener',
    'stop runner',
    'stop store',
  ])
})

test('when a part fails to start, those before it are stopped and its own words are thrown', async () => {
  const log: string[] = []
  const faults = { 'start runner': 'port taken', 'stop store': 'noise' }
  await expect(startInOrder(parts(log, faults))).rejects.toThrow('port taken')
  expect(log).toEqual(['start store', 'start runner', 'stop runner', 'stop store'])
})

test('a part that fails to stop does not keep the others from stopping', async () => {
  const log: string[] = []
  const stop = await startInOrder(parts(log, { 'stop runner': 'stuck' }))
  await expect(stop()).rejects.toThrow('stuck')
  expect(log.at(-1)).toBe('stop store')
})
