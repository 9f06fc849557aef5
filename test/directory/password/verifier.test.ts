import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'

import { parseStored, type StoredPassword } from '../../../src/directory/password/scheme.ts'
import { Verifier, type VerifierOptions } from '../../../src/directory/password/verifier.ts'
import { PASSWORD, VECTORS } from '../vectors.ts'

const DES = 'tef8TpG1m7QdI'
/** About 350 ms of libcrypt: long enough to be overtaken. */
const SLOW = stored(
  '$6$rounds=900000$testsalt$kNsZqvWd0/1LkUSwSw84vAvyX/Kn0K9oEmJ73G.vjmTxxR5Z7Iytgh72R6qTf87ND8tLG0PABoVt3W0vqbQlO.',
)
const QUICK = stored(VECTORS['md5-crypt'])

function stored(value: string): StoredPassword {
  const parsed = parseStored(value, true)
  if (typeof parsed === 'string') throw new Error(parsed)
  return parsed
}

async function started(options: VerifierOptions): Promise<Verifier> {
  const verifier = new Verifier({ threads: 1, remember: 0, ...options })
  onTestFinished(() => verifier.stop())
  await verifier.start()
  return verifier
}

describe('the verifier', () => {
  const verifier = new Verifier({ remember: 0 })
  beforeAll(() => verifier.start())
  afterAll(() => verifier.stop())

  it.each(Object.entries({ ...VECTORS, des: DES }))(
    'knows a right %s from a wrong one',
    async (_, value) => {
      const hash = stored(value)
      expect(await verifier.verify('alice', hash, PASSWORD)).toEqual({ kind: 'match' })
      for (const wrong of ['', 'canary', ` ${PASSWORD}`, PASSWORD.toUpperCase()]) {
        expect(await verifier.verify('alice', hash, wrong)).toEqual({ kind: 'mismatch' })
      }
    },
  )

  it.each([
    ['goes on after a NUL, where crypt stops', `${PASSWORD}\0`],
    ['goes on after a NUL with more', `${PASSWORD}\0more`],
    ['is longer than anybody can have set', PASSWORD.padEnd(513, 'x')],
    ['holds half a character', `${PASSWORD}\ud800`],
  ])('refuses a password that %s', async (_, password) => {
    for (const value of Object.values(VECTORS)) {
      expect(await verifier.verify('alice', stored(value), password)).toEqual({ kind: 'mismatch' })
    }
  })

  it('takes the decomposed form of a password that was stored composed', async () => {
    // crypt('é', '$1$testsalt$')
    const hash = stored('$1$testsalt$SN1ppn8rgm13Sh0ljTddb0')
    expect(await verifier.verify('alice', hash, 'e\u0301')).toEqual({ kind: 'match' })
    expect(await verifier.verify('alice', hash, '\u00e9')).toEqual({ kind: 'match' })
    expect(await verifier.verify('alice', hash, 'e')).toEqual({ kind: 'mismatch' })
  })

  it('never lets a pretended login in', async () => {
    expect(await verifier.pretend('nobody', QUICK, PASSWORD)).toEqual({ kind: 'mismatch' })
  })

  it('answers many at once, each with its own result', async () => {
    const rights = Array.from({ length: 60 }, (_, n) => n % 2 === 0)
    const results = await Promise.all(
      rights.map((right, n) => verifier.verify(`user${n}`, QUICK, right ? PASSWORD : 'wrong')),
    )
    expect(results.map(result => result.kind === 'match')).toEqual(rights)
  })
})

describe('a busy verifier', () => {
  it('is unavailable beyond its bound, and answers who waited', async () => {
    const verifier = await started({ mostWaiting: 3 })
    const slow = verifier.verify('slow', SLOW, PASSWORD)
    const waiting = [1, 2, 3].map(n => verifier.verify(`user${n}`, QUICK, PASSWORD))
    expect(await verifier.verify('late', QUICK, PASSWORD)).toEqual({
      kind: 'unavailable',
      cause: 'too many logins at once',
    })
    expect(await verifier.pretend('nobody', QUICK, PASSWORD)).toMatchObject({ kind: 'unavailable' })
    expect(await slow).toEqual({ kind: 'mismatch' })
    for (const result of await Promise.all(waiting)) expect(result).toEqual({ kind: 'match' })
  })

  it('checks once what a program with ten connections asks ten times at the same moment', async () => {
    const verifier = await started({ mostWaiting: 1 })
    const same = Array.from({ length: 10 }, () => verifier.verify('alice', QUICK, PASSWORD))
    for (const result of await Promise.all(same)) expect(result).toEqual({ kind: 'match' })
  })

  it('serves others while one login is guessed at', async () => {
    const verifier = await started({ threads: 2 })
    const order: string[] = []
    const guesses = Array.from({ length: 8 }, (_, n) =>
      verifier.verify('alice', SLOW, `guess ${n}`).then(result => {
        order.push('guess')
        return result.kind
      }),
    )
    await verifier.verify('bob', QUICK, PASSWORD).then(() => order.push('bob'))
    expect(order.filter(who => who === 'guess')).toEqual(['guess', 'guess'])
    await verifier.stop()
    expect((await Promise.all(guesses)).filter(kind => kind === 'mismatch').length).toBeLessThan(8)
  })

  it('is unavailable to who waited too long', async () => {
    const verifier = await started({ deadline: 100 })
    const slow = verifier.verify('slow', SLOW, PASSWORD)
    const behind = verifier.verify('alice', QUICK, PASSWORD)
    const late = { kind: 'unavailable', cause: 'verification took too long' }
    expect(await Promise.all([slow, behind])).toEqual([late, late])
  })

  it('stops in the middle of a verification, and nobody is refused by it', async () => {
    const verifier = await started({})
    const open = [verifier.verify('alice', SLOW, 'x'), verifier.verify('bob', SLOW, 'x')]
    await verifier.stop()
    for (const result of await Promise.all(open)) expect(result.kind).toBe('unavailable')
    expect(await verifier.verify('alice', QUICK, PASSWORD)).toMatchObject({ kind: 'unavailable' })
  })
})

describe('the memory of right passwords', () => {
  it('spares a second verification for a while, and none for another password or hash', async () => {
    let now = 0
    const verifier = await started({ remember: 60_000, clock: () => now, mostWaiting: 1 })
    expect(await verifier.verify('alice', QUICK, PASSWORD)).toEqual({ kind: 'match' })
    // The only way is blocked now: who is answered with a match was remembered.
    const block = [verifier.verify('slow', SLOW, 'x'), verifier.verify('slow2', SLOW, 'x')]
    const other = stored(VECTORS.SSHA)
    expect(await verifier.verify('alice', QUICK, PASSWORD)).toEqual({ kind: 'match' })
    expect(await verifier.verify('alice', QUICK, 'wrong')).toMatchObject({ kind: 'unavailable' })
    expect(await verifier.verify('alice', other, PASSWORD)).toMatchObject({ kind: 'unavailable' })
    expect(await verifier.verify('bob', QUICK, PASSWORD)).toMatchObject({ kind: 'unavailable' })
    now = 60_000
    expect(await verifier.verify('alice', QUICK, PASSWORD)).toMatchObject({ kind: 'unavailable' })
    await Promise.all(block)
  })
})
