import { expect, onTestFinished, test } from 'vitest'

import type { Behaviour } from '../../src/demo/behaviour.ts'
import { Director, type IncidentEvent } from '../../src/demo/director.ts'
import type { Incident } from '../../src/demo/incidents.ts'
import { Script } from '../../src/demo/script.ts'
import { eventually } from '../support/server-process.ts'

interface Stage {
  readonly director: Director
  readonly gmail: Behaviour[]
  readonly yahoo: Behaviour[]
  readonly events: IncidentEvent[]
}

async function stage(): Promise<Stage> {
  const gmail: Behaviour[] = []
  const yahoo: Behaviour[] = []
  const events: IncidentEvent[] = []
  const incidents: Incident[] = [
    { provider: 'gmail', behaviour: 'spam', begins: 0, ends: 60, what: 'spam' },
    { provider: 'gmail', behaviour: 'lose', begins: 60, ends: 120, what: 'loss' },
    { provider: 'yahoo', behaviour: 'refuse', begins: 30, ends: 90, what: 'refusal' },
  ]
  const director = new Director({
    script: new Script(Date.now(), { healthyStart: 50, incidents }),
    clock: Date.now,
    report: event => events.push(event),
    actors: new Map([
      ['gmail', (behaviour: Behaviour) => gmail.push(behaviour)],
      ['yahoo', (behaviour: Behaviour) => yahoo.push(behaviour)],
    ]),
  })
  onTestFinished(() => director.stop())
  return { director, gmail, yahoo, events }
}

test('everybody is told when to begin and when to be well again', async () => {
  const { director, gmail, yahoo, events } = await stage()
  await director.start()
  await eventually(() => events.length === 6 || undefined, 'the end of the cycle')
  // A machine that is held up for a moment may miss one, but never the end.
  expect(gmail.at(-1)).toBe('inbox')
  expect(yahoo).toStrictEqual(['refuse', 'inbox'])
  for (const what of ['spam', 'loss', 'refusal']) {
    expect(events.filter(event => event.what === what).map(event => event.kind)).toStrictEqual([
      'incident-began',
      'incident-ended',
    ])
  }
})

test('whoever is told otherwise plays no further part in the script', async () => {
  const { director, gmail, yahoo, events } = await stage()
  director.overrule('gmail', 'defer')
  await director.start()
  await eventually(() => events.length === 2 || undefined, "yahoo's part")
  expect(gmail).toStrictEqual(['defer'])
  expect(yahoo).toStrictEqual(['refuse', 'inbox'])
  expect(() => director.overrule('nobody', 'spam')).toThrow(/nobody in the demo/)
})
