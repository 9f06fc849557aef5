import { expect, it } from 'vitest'

import { GUARD_LIMITS } from '../../src/directory/guard.ts'
import { SourceSync } from '../../src/directory/source-sync.ts'
import type { SourceEntry, SourceReading, SourceState } from '../../src/directory/source.ts'
import { HASH } from './vectors.ts'

const never = new AbortController().signal

function people(count: number): SourceEntry[] {
  return Array.from({ length: count }, (_, n) => ({
    login: `user${n}`,
    uuid: `uuid${n}`,
    passwords: [HASH],
    barred: undefined,
    claims: [],
    grants: [],
  }))
}

function state(mark: string): SourceState {
  return { mark, from: mark }
}

function full(mark: string, entries: readonly SourceEntry[]): SourceReading {
  return { kind: 'full', state: state(mark), entries, notes: [] }
}

/** A source that says what it is told to, and what it was asked from. */
function scripted(...readings: readonly SourceReading[]): {
  readonly sync: SourceSync
  readonly asked: (string | undefined)[]
  now: number
} {
  const asked: (string | undefined)[] = []
  const rest = [...readings]
  const script = { now: 1_000, asked }
  const sync = new SourceSync({
    source: {
      name: 'scripted',
      read: known => {
        asked.push(known?.mark)
        return Promise.resolve(
          rest.shift() ?? { kind: 'failed', cause: 'the script is at its end' },
        )
      },
    },
    fullEvery: 1_000,
    guard: GUARD_LIMITS,
    allowDes: false,
    clock: () => script.now,
  })
  return Object.assign(script, { sync })
}

it('asks for everything at first, after trouble, and when it is time', async () => {
  const unchanged = (mark: string): SourceReading => ({ kind: 'unchanged', state: state(mark) })
  const script = scripted(
    full('a', people(3)),
    unchanged('a'),
    { kind: 'failed', cause: 'down' },
    full('b', people(3)),
    unchanged('b'),
    full('c', people(3)),
  )
  for (const now of [1_000, 1_100, 1_200, 1_300, 1_400, 2_300]) {
    script.now = now
    await script.sync.run({}, never)
  }
  expect(script.asked).toEqual([undefined, 'a', 'a', undefined, 'b', undefined])
})

it('counts age from the last comparison, not from the last change', async () => {
  const script = scripted(full('a', people(3)), { kind: 'unchanged', state: state('a') })
  await script.sync.run({}, never)
  script.now = 1_500
  await script.sync.run({}, never)
  expect(script.sync.snapshot?.takenAt).toBe(1_500)
  script.now = 1_600
  await script.sync.run({}, never)
  expect(script.sync.snapshot?.takenAt).toBe(1_500)
  expect(script.sync.trouble).toEqual({
    kind: 'failed',
    at: 1_600,
    words: 'the script is at its end',
    acceptable: false,
  })
})

it('has a doubtful increment decided by a full reading', async () => {
  const bare = people(1).map(person => ({ ...person, passwords: [] }))
  const script = scripted(
    full('a', people(3)),
    { kind: 'incremental', state: state('b'), entries: bare, notes: [] },
    full(
      'b',
      people(3).map(person => ({ ...person, passwords: [] })),
    ),
  )
  await script.sync.run({}, never)
  expect(await script.sync.run({}, never)).toMatchObject({ kind: 'refused' })
  expect(script.asked).toEqual([undefined, 'a', undefined])
  expect(script.sync.snapshot?.accounts.get('user0')).toMatchObject({ rejection: undefined })
})

it('keeps the old snapshot until a person accepts the smaller one', async () => {
  const script = scripted(
    full('a', people(50)),
    full('b', people(10)),
    full('b', people(10)),
    full('b', people(10)),
    full('b', []),
  )
  await script.sync.run({}, never)
  const reason = '40 of 50 accounts would lose their login'
  const refused = { kind: 'refused', reason, acceptable: true }
  expect(await script.sync.run({ full: true }, never)).toEqual(refused)
  script.now = 1_100
  expect(await script.sync.run({}, never)).toEqual(refused)
  expect(script.sync.trouble).toEqual({
    kind: 'refused',
    at: 1_000,
    words: reason,
    acceptable: true,
  })
  expect(script.sync.snapshot?.accounts.size).toBe(50)
  expect(await script.sync.run({ accept: true }, never)).toMatchObject({ kind: 'synced' })
  expect(script.sync.snapshot?.accounts.size).toBe(10)
  expect(script.sync.trouble).toBeUndefined()
  expect(await script.sync.run({ accept: true }, never)).toMatchObject({
    kind: 'refused',
    acceptable: false,
  })
})
