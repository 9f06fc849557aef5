import { afterAll, beforeAll, expect, it } from 'vitest'

import { Libcrypt } from '../../../src/directory/password/libcrypt.ts'
import { CRYPT_SCHEMES } from '../../../src/directory/password/scheme.ts'
import { HASH, PASSWORD } from '../vectors.ts'

const libcrypt = new Libcrypt()
beforeAll(() => libcrypt.start())
afterAll(() => libcrypt.stop())

it('tries every scheme once when it starts', () => {
  expect([...libcrypt.schemes].sort()).toEqual([...CRYPT_SCHEMES].sort())
})

// `*0` as a setting is answered by `*1` and the other way round: a failure that must not look like a hash.
it.each(['*0', '*1', '', '$9$salt$hash', '$6$rounds=10$testsalt$x'])(
  'calls the hash %j unusable, which is neither right nor wrong',
  async hash => {
    for (const password of [PASSWORD, '*0', '*1']) {
      expect(await libcrypt.verify(password, hash)).toBe('unusable')
    }
  },
)

it('never matches after it was stopped', async () => {
  const stopped = new Libcrypt()
  await stopped.start()
  await stopped.stop()
  expect(await stopped.verify(PASSWORD, HASH.slice('{crypt}'.length))).toBe('unusable')
})
