import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'

import { Exposition } from '../../src/observe/metrics/exposition.ts'

/** Name, labels in any order, value: what Prometheus makes of a line. */
function seriesOf(text: string): string[] {
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => {
      const [, name = '', labels = '', value = ''] = /^(\w+)\{(.*)\} (\S+)$/.exec(line) ?? []
      return name === '' ? line : `${name} ${labels.split(',').toSorted().join()} ${value}`
    })
    .toSorted()
}

describe('the text for Prometheus', () => {
  it('says what prom-client would, whatever happens to the series meanwhile', async () => {
    const registry = new Registry()
    const registers = [registry]
    const counter = new Counter({ name: 'c_total', help: 'c', labelNames: ['a', 'b'], registers })
    const gauge = new Gauge({ name: 'g', help: 'of "this" \\ and\nthat', registers })
    const listed = new Gauge({ name: 'l', help: 'l', labelNames: ['list'], registers })
    const histogram = new Histogram({
      name: 'h_seconds',
      help: 'h',
      labelNames: ['a'],
      buckets: [1, 5],
      registers,
    })
    const exposition = new Exposition(registry)
    const compare = async (): Promise<void> => {
      const theirs = (await registry.metrics()).replaceAll(/ Nan$/gm, ' NaN')
      expect(seriesOf(await exposition.text())).toEqual(seriesOf(theirs))
    }
    await compare()
    for (const a of ['x', 'y', 'z']) counter.inc({ a, b: 'say "no"\\\n' }, 0)
    gauge.set(-Infinity)
    listed.set({ list: 'one' }, Number.NaN)
    listed.set({ list: 'two' }, 1.5e300)
    histogram.observe({ a: 'x' }, 3)
    await compare()
    counter.inc({ a: 'y', b: 'say "no"\\\n' }, 7)
    counter.remove({ a: 'x', b: 'say "no"\\\n' })
    gauge.set(Infinity)
    listed.reset()
    listed.set({ list: 'three' }, 0)
    histogram.observe({ a: 'y' }, 0.2)
    await compare()
    counter.reset()
    await compare()
  })

  it('lets others have a turn while it writes very much', async () => {
    const registry = new Registry()
    for (const metric of ['a', 'b', 'c']) {
      const gauge = new Gauge({
        name: metric,
        help: metric,
        labelNames: ['n'],
        registers: [registry],
      })
      for (let n = 0; n < 5_000; n += 1) gauge.set({ n }, n)
    }
    let turns = 0
    let done = false
    const count = (): void => {
      turns += 1
      if (!done) setImmediate(count)
    }
    setImmediate(count)
    expect((await new Exposition(registry).text()).split('\n')).toHaveLength(15_007)
    done = true
    expect(turns).toBeGreaterThanOrEqual(2)
  })
})
