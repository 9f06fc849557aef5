import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { REJECTIONS } from '../../../src/directory/account.ts'
import { parseStored } from '../../../src/directory/password/scheme.ts'
import { VECTORS } from '../vectors.ts'

const sha512 = VECTORS['sha512-crypt'].slice('{crypt}'.length)

function verdictOf(value: string, allowDes = false): string {
  const parsed = parseStored(value, allowDes)
  return typeof parsed === 'string' ? parsed : `${parsed.scheme} ${parsed.cost}`.trim()
}

describe('a stored password', () => {
  it.each([
    [sha512, 'sha512-crypt rounds=5000'],
    [`{crypt}${sha512}`, 'sha512-crypt rounds=5000'],
    [`{CrYpT}${sha512}`, 'sha512-crypt rounds=5000'],
    [`{SHA512-CRYPT}${sha512}`, 'sha512-crypt rounds=5000'],
    [sha512.replace('$6$', '$6$rounds=1000$'), 'sha512-crypt rounds=1000'],
    [VECTORS['md5-crypt'], 'md5-crypt'],
    [VECTORS.bcrypt, 'bcrypt cost=5'],
    [VECTORS.bcrypt.replace('$2b$', '{BLF-CRYPT}$2y$'), 'bcrypt cost=5'],
    [VECTORS.yescrypt, 'yescrypt j9T'],
    [VECTORS.scrypt, 'scrypt 9/..../....'],
    [VECTORS.SSHA, 'ssha sha1'],
    [VECTORS.SSHA512, 'ssha sha512'],
    [VECTORS['PBKDF2-SHA512'], 'pbkdf2 sha512,25000'],
    [VECTORS.ARGON2, 'argon2 m=4096,t=1,p=1'],
    [VECTORS.ARGON2.replace('{ARGON2}', '{Argon2ID}'), 'argon2 m=4096,t=1,p=1'],
    [VECTORS.ARGON2.replace('{ARGON2}', ''), 'argon2 m=4096,t=1,p=1'],
  ])('%s is understood', (value, verdict) => {
    expect(verdictOf(value)).toBe(verdict)
  })

  it.each([
    '*',
    '!',
    'x',
    '*LK*',
    '*0',
    '*1',
    '{crypt}*LK*',
    '{CRYPT}*lk*',
    '{crypt}*SSLRESET*',
    `{crypt}!${sha512}`,
    `!${sha512}`,
    `*${sha512}`,
    '{crypt}',
    '{SSHA}',
    '{SSHA}!',
  ])('%s is locked', value => {
    expect(verdictOf(value, true)).toBe('locked')
  })

  it.each([
    ['rounds', sha512.replace('$6$', '$6$rounds=999999999$')],
    ['rounds just over', sha512.replace('$6$', '$6$rounds=1000001$')],
    ['bcrypt', VECTORS.bcrypt.replace('$05$', '$15$')],
    ['yescrypt', VECTORS.yescrypt.replace('j9T', 'jFT')],
    ['yescrypt of an unknown flavour', VECTORS.yescrypt.replace('j9T', '/9T')],
    ['scrypt memory', VECTORS.scrypt.replace('$9/', '$K/')],
    ['scrypt lanes', VECTORS.scrypt.replace('/..../....', '/....z....')],
    ['PBKDF2', VECTORS['PBKDF2-SHA512'].replace('}25000', '}2000001')],
    ['argon2 memory', VECTORS.ARGON2.replace('m=4096', 'm=262145')],
    ['argon2 passes', VECTORS.ARGON2.replace('t=1', 't=11')],
    ['argon2 lanes', VECTORS.ARGON2.replace('p=1', 'p=9')],
  ])('that costs too much is not tried: %s', (_, value) => {
    expect(verdictOf(value)).toBe('too-costly')
  })

  it.each([
    ['unknown-scheme', '{PLAIN}canary-demo'],
    ['unknown-scheme', '{MD5}Xr4ilOzQ4PCOq3aQ0qbuaQ=='],
    ['unknown-scheme', `$3$$${'0'.repeat(32)}`],
    ['malformed', 'canary-demo'],
    ['malformed', sha512.slice(0, -1)],
    ['malformed', sha512.replace('$6$', '$6$rounds=999$')],
    ['malformed', `${sha512}\n`],
    ['malformed', `${sha512}é`],
    ['malformed', '{SSHA}FXr60F00vGtdWWc3R2nJtFr2QIE='],
    ['malformed', '{SSHA}%%%%'],
    ['malformed', `{SSHA}${'A'.repeat(600)}`],
    ['malformed', '{PBKDF2-SHA512}25000$$'],
    ['malformed', '{PBKDF2-SHA512}0$dGVzdA$dGVzdA'],
    ['no-password', ''],
  ])('is %s: %s', (reason, value) => {
    expect(verdictOf(value)).toBe(reason)
  })

  it('of DES is taken only by a setting', () => {
    expect(verdictOf('tef8TpG1m7QdI')).toBe('des-not-allowed')
    expect(verdictOf('{crypt}tef8TpG1m7QdI', true)).toBe('des')
  })

  it('of any shape is understood or refused for a reason, and quickly', () => {
    const likely = fc.constantFrom(...Object.values(VECTORS), '{', '$6$rounds=', '$7$', '\0')
    const value = fc.array(fc.oneof(likely, fc.string()), { maxLength: 4 }).map(p => p.join(''))
    fc.assert(
      fc.property(value, fc.boolean(), (text, allowDes) => {
        const parsed = parseStored(text, allowDes)
        if (typeof parsed === 'string') expect(REJECTIONS).toContain(parsed)
      }),
    )
  })
})
