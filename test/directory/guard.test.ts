import { describe, expect, it } from 'vitest'

import { admitAll, admitSome, type Candidate } from '../../src/directory/admission.ts'
import { GUARD_LIMITS, mistrustCandidate, mistrustEntries } from '../../src/directory/guard.ts'
import type { SourceEntry } from '../../src/directory/source.ts'
import { HASH } from './vectors.ts'

function entry(login: string, change: Partial<SourceEntry> = {}): SourceEntry {
  return {
    login,
    uuid: `uuid-${login}`,
    passwords: [HASH],
    barred: undefined,
    claims: [],
    grants: [],
    ...change,
  }
}

function people(count: number, from = 0): SourceEntry[] {
  return Array.from({ length: count }, (_, n) => entry(`user${from + n}`))
}

function admitted(entries: readonly SourceEntry[], previous?: Candidate): Promise<Candidate> {
  return admitAll(entries, 'ldap', previous, { allowDes: false, now: previous ? 2 : 1 })
}

async function mistrust(
  before: number,
  after: readonly SourceEntry[],
): Promise<string | undefined> {
  return mistrustCandidate(await admitted(after), await admitted(people(before)), GUARD_LIMITS)
}

describe('a reading', () => {
  it('without entries or without a single password is not believed', async () => {
    expect(mistrustEntries([])).toContain('no entry')
    const bare = people(3).map(person => ({ ...person, passwords: [] }))
    expect(mistrustEntries(bare)).toContain('no entry has a password')
    expect(mistrustEntries([...bare, entry('alice')])).toBeUndefined()
  })

  it.each([
    [20, 15, true],
    [20, 14, false],
    [5, 1, true],
    [100, 90, true],
    [100, 89, false],
    [1000, 900, true],
    [1000, 899, false],
  ])('of %i accounts may shrink to %i: %j', async (before, after, believed) => {
    expect((await mistrust(before, people(after))) === undefined).toBe(believed)
  })

  it('in which nobody could log in is not believed, also the first', async () => {
    expect(await mistrust(3, [entry('alice', { barred: 'locked' })])).toBe('nobody could log in')
    const locked = await admitted([entry('alice', { passwords: ['!'] })])
    expect(await mistrustCandidate(locked, undefined, GUARD_LIMITS)).toBe('nobody could log in')
  })

  it('that exchanges everybody is not believed, although as many are there', async () => {
    expect(await mistrust(100, people(100, 1000))).toBe(
      '100 of 100 accounts would lose their login',
    )
  })

  it('counts who is there but can no longer log in', async () => {
    const spoilt = people(20).map((person, n) =>
      n < 6 ? { ...person, passwords: ['x', 'y'] } : person,
    )
    expect(await mistrust(20, spoilt)).toBe('6 of 20 accounts would lose their login')
  })
})

describe('a snapshot made of a full reading', () => {
  it('has neither of two entries with one login', async () => {
    const made = await admitted([entry('alice'), entry('ALICE', { uuid: 'other' }), entry('bob')])
    expect(made.accounts.get('alice')).toMatchObject({ rejection: 'duplicate', hash: '' })
    expect(made.rejected).toEqual({ duplicate: 1 })
  })

  it('keeps no hash of who cannot log in', async () => {
    const made = await admitted([
      entry('alice', { barred: 'expired' }),
      entry('bob', { passwords: [HASH, HASH] }),
    ])
    expect([...made.accounts.values()].map(({ hash }) => hash)).toEqual(['', ''])
  })

  it('counts entries without a login that can be typed', async () => {
    const bad = ['', 'a b', 'a:b', 'a@b', 'a\0', 'x'.repeat(65), 'é'.repeat(33)]
    const made = await admitted([...bad.map(login => entry(login)), entry('__proto__')])
    expect([...made.accounts.keys()]).toEqual(['__proto__'])
    expect(made.rejected).toEqual({ 'bad-login': 7 })
  })

  it('says when an account was seen to change, and keeps that while it does not', async () => {
    const first = await admitted([entry('alice'), entry('bob')])
    const second = await admitted(
      [entry('alice'), entry('bob', { claims: ['b'] }), entry('carol')],
      first,
    )
    expect(second.changed).toBe(2)
    expect([...second.accounts.values()].map(a => [a.login, a.changedAt])).toEqual([
      ['alice', 0],
      ['bob', 2],
      ['carol', 2],
    ])
    expect((await admitted([entry('alice')], second)).changed).toBe(2)
  })
})

describe('a snapshot made of an increment', () => {
  const before = admitted([entry('alice'), entry('bob'), entry('carol', { barred: 'locked' })])
  const some = async (...entries: SourceEntry[]): Promise<Candidate> =>
    admitSome(entries, await before, { allowDes: false, now: 3 })

  it('holds what it held and what is new, counted anew', async () => {
    const made = await some(entry('carol'), entry('dave', { barred: 'retired' }), entry('alice'))
    expect([...made.accounts.keys()]).toEqual(['alice', 'bob', 'carol', 'dave'])
    expect(made).toMatchObject({ changed: 2, rejected: { retired: 1 }, doubtful: false })
  })

  it('follows a new name by the UUID', async () => {
    const made = await some(entry('bobby', { uuid: 'uuid-bob' }))
    expect([...made.accounts.keys()]).toEqual(['alice', 'carol', 'bobby'])
    const unnamed = await some(entry('not a login', { uuid: 'uuid-bob' }))
    expect([...unnamed.accounts.keys()]).toEqual(['alice', 'carol'])
  })

  it('is doubtful where a login has another UUID, or somebody lost the password', async () => {
    expect((await some(entry('bob', { uuid: 'another' }))).doubtful).toBe(true)
    expect((await some(entry('bob', { passwords: [] }))).doubtful).toBe(true)
    expect((await some(entry('dave', { passwords: [] }))).doubtful).toBe(false)
  })
})
