import { describe, expect, it } from 'vitest'

import type { Account } from '../../src/directory/account.ts'
import { addressesOf } from '../../src/directory/addresses.ts'
import { localPartOf, rolesOfLogins, type Role } from '../../src/directory/roles.ts'

const DOMAINS = ['example.org', 'xn--bcher-kva.example']

function accounts(
  claims: Readonly<Record<string, readonly string[]>>,
  grants: Readonly<Record<string, readonly string[]>> = {},
): ReadonlyMap<string, Account> {
  return new Map(
    Object.entries(claims).map(([login, own]) => [
      login,
      {
        login,
        uuid: '',
        hash: '',
        cost: '',
        keys: [],
        unusableKeys: 0,
        passwordSeenAt: 0,
        passwordWrittenAt: 0,
        claims: own,
        grants: grants[login] ?? [],
        rejection: undefined,
        changedAt: 0,
      },
    ]),
  )
}

describe('the addresses of a login', () => {
  it('are its claims at own domains, in lower case and A-label form', async () => {
    const found = await addressesOf(
      accounts({
        alice: ['alice', 'A.Lice@Example.ORG', 'a@bücher.example', 'a@example.net', '', 'a b'],
      }),
      DOMAINS,
      new Map(),
    )
    expect(found.get('alice')).toEqual([
      'alice@example.org',
      'alice@xn--bcher-kva.example',
      'a.lice@example.org',
      'a@xn--bcher-kva.example',
    ])
  })

  it("never are another login's, a role's, or what another claims too", async () => {
    const found = await addressesOf(
      accounts(
        {
          alice: ['alice@example.org', 'shared@example.org'],
          mallory: [
            'mallory@example.org',
            'Alice@example.org',
            'shared@example.org',
            'postmaster@example.org',
          ],
        },
        { alice: ['postmaster', 'mallory'] },
      ),
      ['example.org'],
      new Map(),
    )
    expect(found.get('alice')).toEqual(['alice@example.org', 'postmaster@example.org'])
    expect(found.get('mallory')).toEqual(['mallory@example.org'])
  })

  it('are what the configuration grants, to as many as it names', async () => {
    const found = await addressesOf(
      accounts({ alice: ['alice'], bob: ['bob'] }),
      ['example.org'],
      new Map([
        ['press@example.org', ['alice', 'Bob@example.org', 'nobody']],
        ['news', ['bob']],
        ['ceo@example.net', ['bob']],
      ]),
    )
    expect(found.get('alice')).toEqual(['alice@example.org', 'press@example.org'])
    expect(found.get('bob')).toEqual(['bob@example.org', 'press@example.org', 'news@example.org'])
  })
})

describe('the roles of a login', () => {
  const roles = (list: readonly Role[]): unknown =>
    Object.fromEntries(rolesOfLogins(list, target => localPartOf(target, DOMAINS)))

  it('are found through other roles, whatever the way a forward is written', () => {
    expect(
      roles([
        { name: 'Postmaster', forwards: ['HOSTMASTER@example.org'] },
        { name: 'hostmaster', forwards: ['alice', 'uid=bob,ou=users,dc=example,dc=org'] },
        { name: 'away', forwards: ['alice@example.net', '', '"|/bin/sh"@'] },
      ]),
    ).toEqual({ alice: ['hostmaster', 'postmaster'], bob: ['hostmaster', 'postmaster'] })
  })

  it('end after five, and in a circle', () => {
    const chain = Array.from({ length: 6 }, (_, n) => ({
      name: `role${n}`,
      forwards: [n === 5 ? 'alice' : `role${n + 1}`],
    }))
    expect(roles(chain)).toEqual({ alice: ['role1', 'role2', 'role3', 'role4', 'role5'] })
    expect(
      roles([
        { name: 'a', forwards: ['b', 'alice'] },
        { name: 'b', forwards: ['a'] },
      ]),
    ).toEqual({ alice: ['a', 'b'] })
  })
})
