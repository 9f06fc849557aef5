import { describe, expect, test } from 'vitest'

import type { ApplicationPasswordStore } from '../../src/account/application-password-store.ts'
import { digestOf, type ApplicationPassword } from '../../src/account/application-password.ts'

const T0 = Date.UTC(2026, 10, 28, 14)

function made(id: string, more: Partial<ApplicationPassword> = {}): ApplicationPassword {
  const login = more.login ?? 'alice'
  return { id, login, account: 'uuid-1', name: id, createdAt: T0, usedAt: undefined, ...more }
}

/** What every store of application passwords does. */
export function applicationPasswordStoreContract(
  name: string,
  open: () => Promise<{
    readonly store: ApplicationPasswordStore
    readonly reopen: () => Promise<ApplicationPasswordStore>
  }>,
): void {
  describe(`application passwords in ${name}`, () => {
    const digest = (text: string): Buffer => digestOf('alice', text)

    test('finds one by login and digest together, also after a restart', async () => {
      const { store, reopen } = await open()
      expect(await store.add(made('laptop'), digest('one'), 5)).toBe(true)
      const again = await reopen()
      expect(await again.find('alice', digest('one'))).toEqual(made('laptop'))
      expect(await again.find('bob', digest('one'))).toBeUndefined()
      expect(await again.find('alice', digest('two'))).toBeUndefined()
    })

    test('lists those of one login, the oldest first', async () => {
      const { store } = await open()
      await store.add(made('b', { createdAt: T0 + 1 }), digest('b'), 5)
      await store.add(made('a'), digest('a'), 5)
      await store.add(made('c', { login: 'bob' }), digestOf('bob', 'c'), 5)
      expect((await store.list('alice')).map(({ id }) => id)).toEqual(['a', 'b'])
      expect(await store.logins()).toEqual(['alice', 'bob'])
    })

    test('takes no more than it is told, however many come at once', async () => {
      const { store } = await open()
      const added = await Promise.all(
        ['1', '2', '3', '4'].map(id => store.add(made(id), digest(id), 3)),
      )
      expect(added.filter(Boolean)).toHaveLength(3)
      expect(await store.list('alice')).toHaveLength(3)
    })

    test('removes what is its owner’s, once', async () => {
      const { store } = await open()
      await store.add(made('laptop'), digest('one'), 5)
      expect(await store.remove('bob', 'laptop')).toBe(false)
      expect(await store.remove('alice', 'laptop')).toBe(true)
      expect(await store.remove('alice', 'laptop')).toBe(false)
      expect(await store.find('alice', digest('one'))).toBeUndefined()
    })

    test('remembers the latest use, in whatever order nodes tell it', async () => {
      const { store } = await open()
      await store.add(made('laptop'), digest('one'), 5)
      await store.used('laptop', T0 + 2)
      await store.used('laptop', T0 + 1)
      expect(await store.list('alice')).toMatchObject([{ usedAt: T0 + 2 }])
    })

    test('forgets what was neither made nor used since', async () => {
      const { store } = await open()
      await store.add(made('old'), digest('old'), 5)
      await store.add(made('used'), digest('used'), 5)
      await store.used('used', T0 + 100)
      await store.forget('bob', T0 + 50)
      await store.forget('alice', T0 + 50)
      expect(await store.list('alice')).toMatchObject([{ id: 'used' }])
    })
  })
}
