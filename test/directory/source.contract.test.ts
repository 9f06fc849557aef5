import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import { ExportFileSource } from '../../src/directory/export-file-source.ts'
import type { DirectorySource, SourceReading } from '../../src/directory/source.ts'
import { scratchFolder } from '../support/scratch.ts'
import { missing } from '../support/server-process.ts'
import { addPerson, startSlapd } from '../support/slapd.ts'
import { ldapSource } from './fixture.ts'
import { HASH } from './vectors.ts'

interface Subject {
  readonly source: DirectorySource
  /** Adds somebody who can log in. */
  add(login: string): Promise<void>
  /** Puts the source out of reach. */
  lose(): Promise<void>
}

async function overLdap(): Promise<Subject> {
  const slapd = await startSlapd({ people: [{ uid: 'alice', mailPassword: HASH }] })
  onTestFinished(() => slapd.stop())
  return {
    source: ldapSource(slapd),
    add: login => Promise.resolve(slapd.modify(addPerson({ uid: login, mailPassword: HASH }))),
    lose: () => slapd.stop(),
  }
}

async function overFile(): Promise<Subject> {
  const path = join(await scratchFolder(), 'passwords')
  await writeFile(path, `alice:${HASH}\n`)
  return {
    source: new ExportFileSource({ name: 'file', path, settle: 1 }),
    add: login => writeFile(path, `alice:${HASH}\n${login}:${HASH}\n`),
    lose: () => rm(path),
  }
}

const never = new AbortController().signal

function stateOf(reading: SourceReading): { readonly mark: string; readonly from: string } {
  if (reading.kind === 'failed' || reading.kind === 'refused') throw new Error(reading.kind)
  return reading.state
}

const slapdMissing = missing('slapd', 'slapadd', 'ldapmodify') !== undefined

describe.each([
  { name: 'LDAP', skip: slapdMissing, make: overLdap },
  { name: 'an export file', skip: false, make: overFile },
])('a source over $name', ({ skip, make }) => {
  it.skipIf(skip)('reads everything, then nothing, then what is new', async () => {
    const { source, add } = await make()
    const first = await source.read(undefined, never)
    expect(first).toMatchObject({
      kind: 'full',
      entries: [{ login: 'alice', passwords: [HASH], barred: undefined, claims: ['alice'] }],
    })
    const second = await source.read(stateOf(first), never)
    expect(second.kind).toBe('unchanged')
    await add('bob')
    const third = await source.read(stateOf(second), never)
    expect('entries' in third && third.entries.map(entry => entry.login)).toContain('bob')
    expect((await source.read(stateOf(third), never)).kind).toBe('unchanged')
    const anew = await source.read(undefined, never)
    expect(anew.kind === 'full' && anew.entries.map(entry => entry.login)).toEqual(['alice', 'bob'])
  })

  it.skipIf(skip)('says that it failed, does not throw, and gives nothing away', async () => {
    const { source, lose } = await make()
    const state = stateOf(await source.read(undefined, never))
    expect(await source.read(state, AbortSignal.abort())).toEqual({
      kind: 'failed',
      cause: 'given up',
    })
    await lose()
    const reading = await source.read(state, never)
    expect(reading.kind).toBe('failed')
    expect(JSON.stringify(reading)).not.toMatch(/alice|\$1\$|test-sync/)
  })
})
