import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { beforeEach, describe, expect, it } from 'vitest'

import { isPseudonym, Pseudonyms, type Candidate } from '../../src/app/pseudonyms.ts'
import { DAY } from '../../src/base/clock.ts'
import { scratchFolder } from '../support/scratch.ts'

const RETENTION = 14 * DAY
const EVERYBODY: readonly Candidate[] = [
  { kind: 'login', name: 'alice' },
  { kind: 'login', name: 'bob' },
  { kind: 'address', name: 'alice@example.org' },
]

let path: string
let now: number

beforeEach(async () => {
  path = join(await scratchFolder(), 'pseudonym.keys')
  now = Date.UTC(2026, 10, 23)
})

const opened = (): Promise<Pseudonyms> =>
  Pseudonyms.open(path, { retention: RETENTION, clock: () => now })

async function names(pseudonyms: Pseudonyms, wanted: string): Promise<string[]> {
  const found: string[] = []
  for await (const { name } of pseudonyms.unmask(wanted, EVERYBODY)) found.push(name)
  return found
}

describe('Pseudonyms', () => {
  it('calls everybody by a short name of their own, in whatever case and after a restart', async () => {
    const first = await opened()
    const alice = first.of('alice')
    expect(alice).toMatch(/^~[0-9a-z]{8}$/)
    expect(isPseudonym(alice)).toBe(true)
    expect(isPseudonym('~alice')).toBe(false)
    expect(first.of('ALICE')).toBe(alice)
    expect(new Set(['alice', 'bob', 'alice@example.org'].map(name => first.of(name))).size).toBe(3)
    expect((await opened()).of('alice')).toBe(alice)
  })

  it('calls nobody the same under another key', async () => {
    const alice = (await opened()).of('alice')
    path += '.other'
    expect((await opened()).of('alice')).not.toBe(alice)
  })

  it('keeps its keys readable for the owner only', async () => {
    await opened()
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  it('tells whom a pseudonym means among those who are known, and nothing of others', async () => {
    const pseudonyms = await opened()
    expect(await names(pseudonyms, pseudonyms.of('alice'))).toEqual(['alice'])
    expect(await names(pseudonyms, pseudonyms.of('Alice@Example.org'))).toEqual([
      'alice@example.org',
    ])
    expect(await names(pseudonyms, pseudonyms.of('mallory'))).toEqual([])
  })

  it('has a new key after the retention time, and tells the old pseudonym for as long again', async () => {
    const pseudonyms = await opened()
    const old = pseudonyms.of('alice')
    now += RETENTION - 1
    await pseudonyms.rotate()
    expect(pseudonyms.of('alice')).toBe(old)
    now += 1
    await pseudonyms.rotate()
    const young = pseudonyms.of('alice')
    expect(young).not.toBe(old)
    now += RETENTION - 1
    expect(await names(pseudonyms, old)).toEqual(['alice'])
    expect(await names(await opened(), old)).toEqual(['alice'])
  })

  it('destroys a key when the retention time after its last use is over, in memory and in the file', async () => {
    const pseudonyms = await opened()
    const old = pseudonyms.of('alice')
    const [{ key }] = JSON.parse(await readFile(path, 'utf8')) as [{ key: string }]
    now += RETENTION
    await pseudonyms.rotate()
    expect(await readFile(path, 'utf8')).toContain(key)
    now += RETENTION
    expect(await names(pseudonyms, old)).toEqual([])
    expect(await readFile(path, 'utf8')).not.toContain(key)
    expect(await names(await opened(), old)).toEqual([])
  })

  it('destroys the keys of a time in which nothing ran as soon as something does', async () => {
    const old = (await opened()).of('alice')
    now += 3 * RETENTION
    const pseudonyms = await opened()
    expect(pseudonyms.of('alice')).not.toBe(old)
    expect(await names(pseudonyms, old)).toEqual([])
  })

  it('does not make new keys over those it cannot read', async () => {
    await writeFile(path, '[{"from":1,"key":"short"}]')
    await expect(opened()).rejects.toThrow(/should hold keys: restore it, or remove it/)
    expect(await readFile(path, 'utf8')).toContain('short')
  })
})
