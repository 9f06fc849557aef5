import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { StsPolicies, type StsPolicy } from '../../../src/relay/transport/sts-policies.ts'
import { makeScratch } from '../../support/scratch.ts'

const ENFORCE: StsPolicy = { mode: 'enforce', mx: ['mx1.example.net'], maxAge: 86_400 }

let folder: string
let path: string
let now: number
let failures: string[]

beforeEach(async () => {
  folder = await makeScratch()
  path = join(folder, 'sts-policies.json')
  now = 1_000_000
  failures = []
})

afterEach(() => rm(folder, { recursive: true }))

async function policies(): Promise<StsPolicies> {
  const made = new StsPolicies({
    clock: () => now,
    path,
    failed: cause => void failures.push(cause),
  })
  await made.load()
  return made
}

test('a policy binds the next process too, until its age is up', async () => {
  const before = await policies()
  before.set('example.net', '1', ENFORCE)
  await before.saved()
  const after = await policies()
  now += 86_399_000
  expect(after.get('example.net')).toMatchObject({ id: '1', policy: ENFORCE })
  now += 1_000
  expect(after.get('example.net')).toBeUndefined()
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(failures).toEqual([])
})

test('what is set while others are written is written too, in few writings', async () => {
  const before = await policies()
  for (let n = 0; n < 500; n += 1) before.set(`d${n}.example.net`, '1', ENFORCE)
  await before.saved()
  const after = await policies()
  for (const n of [0, 1, 499]) expect(after.get(`d${n}.example.net`)).toBeDefined()
})

test('a domain whose policy is over is forgotten at the next writing', async () => {
  const it = await policies()
  it.set('gone.example.net', '1', { ...ENFORCE, maxAge: 60 })
  await it.saved()
  now += 60_000
  it.set('example.net', '1', ENFORCE)
  await it.saved()
  expect(await readFile(path, 'utf8')).not.toContain('gone.example.net')
})

test('of more than ten thousand the oldest goes', async () => {
  const many = new StsPolicies({ clock: () => now })
  for (let n = 0; n <= 10_000; n += 1) many.set(`d${n}.example.net`, '1', ENFORCE)
  expect(many.get('d0.example.net')).toBeUndefined()
  expect(many.get('d1.example.net')).toBeDefined()
})

test.each([
  ['{"no": "list"}'],
  ['[{"domain": 1}]'],
  ['[{"dom'],
  ['[null]'],
  ['[{"domain": "example.net", "id": "1", "until": 1e15, "policy": {"mode": "enforce"}}]'],
])('a damaged file is told of, and replaced: %s', async text => {
  await writeFile(path, text)
  const anew = await policies()
  expect(failures).toEqual([expect.stringContaining(`${path} cannot be read`)])
  anew.set('example.net', '1', ENFORCE)
  await anew.saved()
  expect(await readFile(path, 'utf8')).toContain('example.net')
})

test('where the file cannot be written the policy binds from memory', async () => {
  const bound = new StsPolicies({
    clock: () => now,
    path: join(folder, 'absent', 'sts-policies.json'),
    failed: cause => void failures.push(cause),
  })
  bound.set('example.net', '1', ENFORCE)
  await bound.saved()
  expect(failures).toEqual([expect.stringContaining('cannot be written')])
  expect(bound.get('example.net')).toBeDefined()
})
