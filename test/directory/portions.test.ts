import { join } from 'node:path'

import { expect, it, onTestFinished } from 'vitest'

import { inPortions, PORTION } from '../../src/base/portions.ts'
import type { Snapshot } from '../../src/directory/account.ts'
import { admitAll, admitSome } from '../../src/directory/admission.ts'
import { GUARD_LIMITS, mistrustCandidate } from '../../src/directory/guard.ts'
import { rosterOf } from '../../src/directory/roster.ts'
import { saveSnapshots } from '../../src/directory/snapshot-file.ts'
import type { DirectorySource, SourceEntry, SourceReading } from '../../src/directory/source.ts'
import { scratchFolder } from '../support/scratch.ts'
import { directoryOf } from './fixture.ts'
import { HASH, PASSWORD } from './vectors.ts'

/*
 * A directory of a hundred thousand is judged, compared, kept and put in force while logins are answered: not by how long the
 * event loop stands still is that held here, but by why it would.
 */
const MANY = 12 * PORTION
const OPTIONS = { allowDes: false, now: 1 }

const entries: readonly SourceEntry[] = Array.from({ length: MANY }, (_, n) => ({
  login: `user${n}`,
  uuid: `uuid${n}`,
  passwords: [HASH],
  barred: undefined,
  claims: [`user${n}`],
  grants: ['postmaster'],
}))

/** Counts how many different items are looked at in one turn of the event loop, at most. */
class Watch {
  most = 0
  readonly #seen = new Set<object>()

  item<T extends object>(original: T): T {
    const seen = this.#seen
    return new Proxy(original, {
      get: (target, name, receiver) => {
        seen.add(original)
        return Reflect.get(target, name, receiver) as unknown
      },
    })
  }

  snapshot(original: Snapshot): Snapshot {
    const accounts = [...original.accounts].map(([login, one]) => [login, this.item(one)] as const)
    return { ...original, accounts: new Map(accounts) }
  }

  async during(work: () => Promise<unknown>): Promise<number> {
    const turn = (): void => {
      this.most = Math.max(this.most, this.#seen.size)
      this.#seen.clear()
      next = setImmediate(turn)
    }
    this.#seen.clear()
    let next = setImmediate(turn)
    await work()
    turn()
    clearImmediate(next)
    return this.most
  }
}

it('the event loop turns after every portion', async () => {
  const watch = new Watch()
  const items = entries.map(entry => watch.item(entry))
  const logins: string[] = []
  const most = await watch.during(() => inPortions(items, ({ login }) => logins.push(login)))
  expect(most).toBe(PORTION)
  expect(logins).toEqual(entries.map(({ login }) => login))
})

const made = await admitAll(entries, 'ldap', undefined, OPTIONS)

it.each<[string, (watch: Watch) => () => Promise<unknown>]>([
  [
    'judged',
    watch => {
      const watched = entries.map(entry => watch.item(entry))
      return () => admitAll(watched, 'ldap', undefined, OPTIONS)
    },
  ],
  [
    'compared with what was there',
    watch => {
      const before = watch.snapshot(made)
      return () => admitAll(entries, 'ldap', before, OPTIONS)
    },
  ],
  [
    'brought up to date',
    watch => {
      const before = watch.snapshot(made)
      return () => admitSome(entries, before, OPTIONS)
    },
  ],
  [
    'mistrusted',
    watch => {
      const [after, before] = [watch.snapshot(made), watch.snapshot(made)]
      return () => mistrustCandidate(after, before, GUARD_LIMITS)
    },
  ],
  [
    'put in force',
    watch => {
      const snapshot = watch.snapshot(made)
      return () => rosterOf([snapshot], ['example.org'], new Map(), false)
    },
  ],
  [
    'kept',
    watch => {
      const snapshot = watch.snapshot(made)
      return async () =>
        saveSnapshots(join(await scratchFolder(), 'directory.json'), [snapshot, snapshot])
    },
  ],
])('very many are %s a few at a time', async (_, work) => {
  const watch = new Watch()
  const most = await watch.during(work(watch))
  expect(most).toBeGreaterThan(1)
  // The end of one portion and the beginning of another may share a turn.
  expect(most).toBeLessThanOrEqual(2 * PORTION)
})

it('nobody is refused while the first snapshot is being put in force', async () => {
  const readings: SourceReading[] = [
    { kind: 'failed', cause: 'down' },
    { kind: 'full', state: { mark: '', from: '' }, entries, notes: [] },
  ]
  const source: DirectorySource = {
    name: 'scripted',
    read: () => Promise.resolve(readings.shift() ?? { kind: 'failed', cause: 'at its end' }),
  }
  const { directory } = directoryOf(await scratchFolder(), { sources: [source] })
  onTestFinished(() => directory.stop())
  await directory.start()
  const answers: string[] = []
  const sync = directory.sync().then(() => true)
  const turn = (): Promise<boolean> => new Promise(resolve => setImmediate(resolve, false))
  while (!(await Promise.race([sync, turn()]))) {
    answers.push((await directory.authenticate('user1', PASSWORD)).kind)
  }
  answers.push((await directory.authenticate('user1', PASSWORD)).kind)
  expect(new Set(answers)).toEqual(new Set(['unavailable', 'accepted']))
})
