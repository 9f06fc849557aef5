import { appendFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, it, onTestFinished } from 'vitest'

import { ExportFileSource } from '../../src/directory/export-file-source.ts'
import type { SourceReading } from '../../src/directory/source.ts'
import { scratchFolder } from '../support/scratch.ts'
import { directoryOf, DOMAINS } from './fixture.ts'
import { HASH, PASSWORD, VECTORS } from './vectors.ts'

const SETTLE = 5
const never = new AbortController().signal

async function fileWith(
  text: string | Buffer,
  accounts?: string,
): Promise<{ readonly path: string; readonly source: ExportFileSource; readonly folder: string }> {
  const folder = await scratchFolder()
  const path = join(folder, 'mail-passwords')
  await writeFile(path, text)
  const accountsPath = join(folder, 'all-accounts.json')
  if (accounts !== undefined) await writeFile(accountsPath, accounts)
  const source = new ExportFileSource({
    name: 'file',
    path,
    domains: DOMAINS,
    settle: SETTLE,
    ...(accounts === undefined ? {} : { accountsPath }),
  })
  return { path, source, folder }
}

function loginsOf(reading: SourceReading): unknown {
  if (reading.kind !== 'full') return reading
  return reading.entries.map(({ login, passwords, barred }) => [login, passwords.join(' '), barred])
}

it('reads uid:hash and Dovecot passwd-file lines alike', async () => {
  const { source } = await fileWith(
    [
      '# canaries',
      '',
      `alice:${HASH}`,
      `bob@example.org:${VECTORS.ARGON2}:1000:1000::/home/bob::userdb_mail=x`,
      'carol:',
      'dave',
      `eve:${HASH}::::::allow_nets=192.0.2.0/24`,
      `mallory:${HASH}\r`,
      `bob@example.net:${HASH}`,
      '',
    ].join('\n'),
  )
  expect(loginsOf(await source.read(undefined, never))).toEqual([
    ['alice', HASH, undefined],
    ['bob', VECTORS.ARGON2, undefined],
    ['carol', '', undefined],
    ['dave', '', undefined],
    ['eve', HASH, 'restricted'],
    ['mallory', HASH, undefined],
    ['bob@example.net', HASH, undefined],
  ])
})

it('leaves out whom the list of accounts beside it calls inactive', async () => {
  const { source } = await fileWith(
    `alice:${HASH}\nBob:${HASH}\n`,
    '[{"uid":"alice","uidNumber":1,"active":true},{"uid":"bob","uidNumber":2,"active":false}]',
  )
  expect(loginsOf(await source.read(undefined, never))).toEqual([
    ['alice', HASH, undefined],
    ['Bob', HASH, 'expired'],
  ])
})

it('does not take a missing or torn list of accounts for one in which everybody is active', async () => {
  const torn = await fileWith(`alice:${HASH}\n`, '[{"uid":"alice"')
  expect(await torn.source.read(undefined, never)).toMatchObject({ kind: 'refused' })
  await rm(join(torn.folder, 'all-accounts.json'))
  expect(await torn.source.read(undefined, never)).toMatchObject({ kind: 'failed' })
})

it('refuses a file whose last line is not ended', async () => {
  const { source } = await fileWith(`alice:${HASH}\nbob:${HASH.slice(0, 20)}`)
  expect(await source.read(undefined, never)).toMatchObject({ kind: 'refused' })
})

it('says unchanged until the file changes, also when it is replaced by rename', async () => {
  const { source, path } = await fileWith(`alice:${HASH}\n`)
  const first = await source.read(undefined, never)
  if (first.kind !== 'full') throw new Error(first.kind)
  expect(await source.read(first.state, never)).toMatchObject({ kind: 'unchanged' })
  await writeFile(`${path}.new`, `bobby:${HASH}\n`)
  await rename(`${path}.new`, path)
  expect(loginsOf(await source.read(first.state, never))).toEqual([['bobby', HASH, undefined]])
})

it('waits for a file that is being written, and gives up on one that does not come to rest', async () => {
  const { path } = await fileWith(`alice:${HASH}\n`)
  const source = new ExportFileSource({ name: 'file', path, domains: DOMAINS, settle: 100 })
  const writing = setInterval(() => void appendFile(path, `bob:${HASH}\n`), 5)
  onTestFinished(() => clearInterval(writing))
  expect(await source.read(undefined, never)).toEqual({
    kind: 'failed',
    cause: 'the file is being written',
  })
  clearInterval(writing)
  expect(await source.read(undefined, never)).toMatchObject({ kind: 'full' })
})

it('says that a file is not there, and stops when told to', async () => {
  const { path, source } = await fileWith(`alice:${HASH}\n`)
  const patient = new ExportFileSource({ name: 'file', path, domains: DOMAINS, settle: 60_000 })
  const stop = new AbortController()
  const reading = patient.read(undefined, stop.signal)
  stop.abort()
  expect(await reading).toEqual({ kind: 'failed', cause: 'given up' })
  await rm(path)
  expect(await source.read(undefined, never)).toEqual({
    kind: 'failed',
    cause: 'the file is not there',
  })
})

it('keeps the old snapshot when the file is torn, empty or much shorter', async () => {
  const people = Array.from({ length: 20 }, (_, n) => `user${n}:${HASH}\n`)
  const { path, source, folder } = await fileWith(people.join(''))
  const { directory, events } = directoryOf(folder, { sources: [source] })
  onTestFinished(() => directory.stop())
  await directory.start()
  for (const text of ['', '\n', people.slice(0, 14).join(''), people.join('').slice(0, -1)]) {
    await writeFile(path, text)
    expect(await directory.sync()).toMatchObject([{ kind: 'refused' }])
    expect(await directory.authenticate('user19', PASSWORD)).toMatchObject({ kind: 'accepted' })
  }
  await writeFile(path, people.slice(0, 15).join(''))
  expect(await directory.sync()).toMatchObject([{ kind: 'synced', changed: 5 }])
  expect(await directory.authenticate('user19', PASSWORD)).toEqual({ kind: 'refused' })
  expect(JSON.stringify(events)).not.toMatch(/user\d|\$/)
})

it('beside another source leaves the word to the one that is named first, also if it says no', async () => {
  const first = await fileWith(`alice:!\nbob:${HASH}\n`)
  const second = await fileWith(`alice:${HASH}\ncarol:${HASH}\n`)
  const sources = [
    first.source,
    new ExportFileSource({ name: 'second', path: second.path, settle: SETTLE }),
  ]
  const { directory } = directoryOf(first.folder, { sources })
  onTestFinished(() => directory.stop())
  await directory.start()
  expect(await directory.authenticate('alice', PASSWORD)).toEqual({ kind: 'refused' })
  expect(await directory.authenticate('bob', PASSWORD)).toMatchObject({ kind: 'accepted' })
  expect(await directory.authenticate('carol', PASSWORD)).toMatchObject({ kind: 'accepted' })
})

it('beside another source refuses nobody before both were read', async () => {
  const first = await fileWith(`alice:${HASH}\n`)
  const absent = new ExportFileSource({ name: 'absent', path: '/nonexistent', settle: SETTLE })
  const { directory } = directoryOf(first.folder, { sources: [first.source, absent] })
  onTestFinished(() => directory.stop())
  await directory.start()
  expect(directory.ready()).toBe(false)
  expect(await directory.authenticate('nobody', PASSWORD)).toMatchObject({ kind: 'unavailable' })
})
