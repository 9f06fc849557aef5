import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import fc from 'fast-check'
import { expect, it, onTestFinished } from 'vitest'

import { admitAll } from '../../src/directory/admission.ts'
import { ExportFileSource } from '../../src/directory/export-file-source.ts'
import { parseExportFile } from '../../src/directory/export-file.ts'
import { loadSnapshots, saveSnapshots } from '../../src/directory/snapshot-file.ts'
import { scratchFolder } from '../support/scratch.ts'
import { directoryOf } from './fixture.ts'
import { HASH, PASSWORD } from './vectors.ts'

const entries = ['alice', '__proto__', 'bob'].map(login => ({
  login,
  uuid: `uuid-${login}`,
  passwords: login === 'bob' ? ['!'] : [HASH],
  barred: undefined,
  claims: [login],
  grants: ['postmaster'],
}))

it('comes back as it was kept, readable for its owner only', async () => {
  const folder = await scratchFolder()
  const path = join(folder, 'directory.json')
  expect(await loadSnapshots(path)).toBeUndefined()
  const {
    changed: _,
    doubtful: __,
    ...snapshot
  } = await admitAll(entries, 'ldap', undefined, {
    allowDes: false,
    now: 1,
  })
  await saveSnapshots(path, [snapshot])
  expect((await loadSnapshots(path))?.get('ldap')).toEqual(snapshot)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(await readdir(folder)).toEqual(['directory.json'])
})

it('is refused where it is damaged, and the complaint quotes nothing of it', async () => {
  const path = join(await scratchFolder(), 'directory.json')
  await saveSnapshots(path, [
    await admitAll(entries, 'ldap', undefined, { allowDes: false, now: 1 }),
  ])
  const whole = await readFile(path, 'utf8')
  for (const text of [
    '',
    'null',
    '[]',
    whole.slice(0, 80),
    whole.replace('"version":1', '"version":2'),
    whole.replace('"rejection":"locked"', '"rejection":"of a later version"'),
    whole.replace(/"hash":"[^"]+"/, '"hash":1'),
    whole.replace('"claims":["alice"]', '"claims":[1]'),
  ]) {
    await writeFile(path, text)
    await expect(loadSnapshots(path)).rejects.toThrow(path)
    await expect(loadSnapshots(path)).rejects.not.toThrow(/alice|\$1\$/)
  }
})

it('that is damaged does not keep the directory from starting with its source', async () => {
  const folder = await scratchFolder()
  await writeFile(join(folder, 'directory.json'), 'damaged')
  await writeFile(join(folder, 'passwords'), `alice:${HASH}\n`)
  const source = new ExportFileSource({ name: 'file', path: join(folder, 'passwords'), settle: 1 })
  const { directory, events } = directoryOf(folder, { sources: [source] })
  onTestFinished(() => directory.stop())
  await directory.start()
  expect(await directory.authenticate('alice', PASSWORD)).toMatchObject({ kind: 'accepted' })
  expect(events.map(event => event.kind)).toEqual(['directory-sync-failed', 'directory-synced'])
})

it('that cannot be written does not keep a lock from taking effect', async () => {
  const folder = await scratchFolder()
  const path = join(folder, 'passwords')
  await writeFile(path, `alice:${HASH}\nbob:${HASH}\n`)
  const { directory, events } = directoryOf(folder, {
    sources: [new ExportFileSource({ name: 'file', path, settle: 1 })],
    snapshotPath: join(folder, 'absent', 'directory.json'),
  })
  onTestFinished(() => directory.stop())
  await directory.start()
  await writeFile(path, `alice:${HASH}\nbob:!\n`)
  await directory.sync()
  expect(await directory.authenticate('bob', PASSWORD)).toEqual({ kind: 'refused' })
  expect(events.filter(event => event.kind === 'directory-sync-failed')).toHaveLength(2)
})

it('an export file of any content gives entries or is torn', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string(), async text => {
      const found = await parseExportFile(`${text}\n`, ['example.org'], () => undefined)
      for (const entry of found ?? []) expect(entry.passwords.length).toBeLessThan(2)
    }),
  )
})
