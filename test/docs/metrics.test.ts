import { expect, test } from 'vitest'

import { createMetrics } from '../../src/observe/metrics.ts'
import { documents } from './documents.ts'

test('every metric that a document names is there', async () => {
  const metrics = createMetrics({
    origins: ['relay'],
    providers: ['gmail'],
    seeds: [{ name: 'gmail-1', provider: 'gmail', oauth: true, createdAt: 0 }],
    probes: ['relay/gmail-1'],
    version: '0',
    clock: () => 0,
    blocklists: ['zen.example'],
    inputs: {
      queue: async () => ({ queued: 0, active: 0, held: 0, oldestAt: 0 }),
      sites: () => [],
      directory: () => ({ ageSeconds: 0, accounts: 0 }),
      certificateExpiry: () => 0,
      detector: () => [],
    },
  })
  const names = new Set(
    [...(await metrics.text()).matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name),
  )
  const unknown = documents().flatMap(({ blocks, spans }) =>
    [...blocks, ...spans].flatMap(({ text, at }) =>
      [...text.matchAll(/\bmailcanary(?:_[a-z][a-z0-9]*)+/g)]
        .map(([name]) => name.replace(/_(?:bucket|sum|count)$/, ''))
        .filter(name => !names.has(name))
        .map(name => `${at} ${name}`),
    ),
  )
  expect(unknown).toEqual([])
})

test('every query stands in a block of its own, where a test asks it', () => {
  const hidden = documents()
    .flatMap(({ spans }) => spans)
    .filter(({ text }) => /\bmailcanary_\w+\{\w+\W?[=~]|\bup\{|\[\d+[smhd]\]/.test(text))
    .map(({ at, text }) => `${at} ${text}`)
  expect(hidden).toEqual([])
})
