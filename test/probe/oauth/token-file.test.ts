import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'

import { expect, test } from 'vitest'

import { Secret } from '../../../src/base/secret.ts'
import { type StoredToken, TokenFile } from '../../../src/probe/oauth/token-file.ts'
import { scratchFolder } from '../../support/scratch.ts'

const KEY = new Secret('a key that is only test data, 32 or more')
const TOKEN: StoredToken = {
  refreshToken: new Secret('refresh-SECRET'),
  accessToken: new Secret('access-SECRET'),
  accessUntil: 3,
  signedInAt: 1,
  refreshedAt: 2,
}

async function pathIn(): Promise<string> {
  return join(await scratchFolder(), 'state', 'tokens', 'hotmail-1')
}

test.each([undefined, KEY])('a token is kept for its owner alone, key: %s', async key => {
  const path = await pathIn()
  const file = new TokenFile(path, 'hotmail-1', key)
  expect(await file.read()).toBeUndefined()
  await file.write(TOKEN)
  const { mode } = await stat(path)
  expect(mode & 0o777).toBe(0o600)
  const read = await new TokenFile(path, 'hotmail-1', key).read()
  expect(read?.refreshToken.reveal()).toBe('refresh-SECRET')
  expect(read?.accessToken.reveal()).toBe('access-SECRET')
  expect(read).toMatchObject({ accessUntil: 3, signedInAt: 1, refreshedAt: 2 })
  expect(inspect(read)).not.toContain('SECRET')
  expect((await readFile(path, 'latin1')).includes('SECRET')).toBe(key === undefined)
})

test('another key, the file of another seed, and a file that was changed are all told', async () => {
  const path = await pathIn()
  await new TokenFile(path, 'hotmail-1', KEY).write(TOKEN)
  const other = new Secret('another key, which is test data as well')
  await expect(new TokenFile(path, 'hotmail-1', other).read()).rejects.toThrow('another key')
  await expect(new TokenFile(path, 'hotmail-2', KEY).read()).rejects.toThrow('another key')
  await expect(new TokenFile(path, 'hotmail-1', undefined).read()).rejects.toThrow('token_key_file')
  const sealed = JSON.parse(await readFile(path, 'utf8')) as { data: string }
  const data = Buffer.from(sealed.data, 'base64')
  data[0] = (data[0] ?? 0) ^ 1
  await writeFile(path, JSON.stringify({ ...sealed, data: data.toString('base64') }))
  await expect(new TokenFile(path, 'hotmail-1', KEY).read()).rejects.toThrow('damaged')
})

test('a token in the clear is not taken where a key is configured', async () => {
  const path = await pathIn()
  await new TokenFile(path, 'hotmail-1', undefined).write(TOKEN)
  await expect(new TokenFile(path, 'hotmail-1', KEY).read()).rejects.toThrow('not encrypted')
})

test.each(['', 'nonsense', '[]', 'null', '{}', '{"refreshToken":"a"}'])(
  'a file that holds %s is told, with what to do',
  async text => {
    const path = await pathIn()
    await new TokenFile(path, 'hotmail-1', undefined).write(TOKEN)
    await writeFile(path, text)
    await expect(new TokenFile(path, 'hotmail-1', undefined).read()).rejects.toThrow(
      'sign in again with mailcanary seed login hotmail-1',
    )
  },
)

test('a file that others may read is not used', async () => {
  const path = await pathIn()
  const file = new TokenFile(path, 'hotmail-1', undefined)
  await file.write(TOKEN)
  await chmod(path, 0o644)
  await expect(file.read()).rejects.toThrow('chmod 600')
})
