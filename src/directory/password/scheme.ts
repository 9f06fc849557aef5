import type { Rejection } from '../account.ts'

/** A stored password, understood and found cheap enough to verify. */
export type StoredPassword =
  | {
      readonly kind: 'crypt'
      readonly scheme: CryptScheme
      /** What one verification costs, `rounds=5000`: equal words cost the same. */
      readonly cost: string
      /** The whole hash, which is also crypt's setting. */
      readonly hash: string
    }
  | {
      readonly kind: 'argon2'
      readonly scheme: 'argon2'
      readonly cost: string
      readonly hash: string
    }
  | {
      readonly kind: 'digest'
      readonly scheme: 'ssha'
      readonly cost: string
      readonly algorithm: string
      readonly digest: Buffer
      readonly salt: Buffer
    }
  | {
      readonly kind: 'pbkdf2'
      readonly scheme: 'pbkdf2'
      readonly cost: string
      readonly algorithm: string
      readonly iterations: number
      readonly digest: Buffer
      readonly salt: Buffer
    }

export const CRYPT_SCHEMES = [
  'des',
  'md5-crypt',
  'sha256-crypt',
  'sha512-crypt',
  'bcrypt',
  'yescrypt',
  'scrypt',
] as const
export type CryptScheme = (typeof CRYPT_SCHEMES)[number]

/** Schemes that no longer hold against guessing: they are verified, and counted so that somebody asks for new ones. */
// Neither has a cost, so their names are also what `Account.cost` says of them.
export const WEAK_SCHEMES: ReadonlySet<string> = new Set(['des', 'md5-crypt'])

type Parsed = StoredPassword | Rejection

// OWNERS MAY WRITE THEIR OWN HASH, so it is hostile input: one setting of 999,999,999 rounds would keep the
// verifier busy for minutes at every try. These caps are far above what any tool writes by default.
const MOST_ROUNDS = 1_000_000
const MOST_BCRYPT_COST = 14
const MOST_ITERATIONS = 2_000_000
const MOST_MEMORY_KIB = 256 * 1024
const MOST_PASSES = 10
const MOST_LANES = 8
const LONGEST_HASH = 512

// What libcrypt writes for its costs 1 to 8, 1 to 160 ms.
const YESCRYPT_SETTINGS = new Set('j75 j85 j7T j8T j9T jAT jBT jCT'.split(' '))
const ITOA64 = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Dovecot's names for what others write as {CRYPT}; the hash itself tells them apart. */
const CRYPT_PREFIX = /^(?:CRYPT|(?:MD5|SHA256|SHA512|BLF|DES)-CRYPT)$/

/**
 * Reads a stored password: `{SCHEME}value` with the scheme in any case, or a bare crypt hash.
 *
 * @param allowDes whether DES crypt, eight characters and breakable in hours, is taken at all
 * @returns the reason where it can never match or must not be tried
 */
export function parseStored(value: string, allowDes: boolean): Parsed {
  if (value === '') return 'no-password'
  if (value.length > LONGEST_HASH || /[^\u0021-\u007e]/.test(value)) return 'malformed'
  const prefix = /^\{([^}]*)\}(.*)$/.exec(value)
  const scheme = prefix?.[1]?.toUpperCase() ?? 'CRYPT'
  const rest = prefix?.[2] ?? value
  if (isLocked(rest)) return 'locked'
  if (CRYPT_PREFIX.test(scheme)) return parseCrypt(rest, allowDes)
  const digest = /^SSHA(|256|512)$/.exec(scheme)
  if (digest !== null) return parseDigest(rest, digest[1] === '' ? 'sha1' : `sha${digest[1]}`)
  const derived = /^PBKDF2(|-SHA1|-SHA256|-SHA512)$/.exec(scheme)
  if (derived !== null) return parsePbkdf2(rest, (derived[1] || '-SHA1').slice(1).toLowerCase())
  if (/^ARGON2(?:|I|ID)$/.test(scheme)) return parseArgon2(rest)
  return 'unknown-scheme'
}

/** Marks that administrators put in front of or in place of a hash: none of them may ever match. */
function isLocked(value: string): boolean {
  return value === '' || value === 'x' || /^[*!]/.test(value)
}

function parseCrypt(hash: string, allowDes: boolean): Parsed {
  if (hash.startsWith('$argon2')) return parseArgon2(hash)
  const crypt = (scheme: CryptScheme, cost: string): StoredPassword => ({
    kind: 'crypt',
    scheme,
    cost,
    hash,
  })
  if (/^[./0-9A-Za-z]{13}$/.test(hash)) return allowDes ? crypt('des', '') : 'des-not-allowed'
  if (/^\$1\$[^$:]{1,8}\$[./0-9A-Za-z]{22}$/.test(hash)) return crypt('md5-crypt', '')
  const sha = /^\$([56])\$(?:rounds=(\d{1,9})\$)?[^$:]{1,16}\$([./0-9A-Za-z]+)$/.exec(hash)
  if (sha !== null) {
    if (sha[3]?.length !== (sha[1] === '5' ? 43 : 86)) return 'malformed'
    const rounds = Number(sha[2] ?? 5000)
    if (rounds > MOST_ROUNDS) return 'too-costly'
    if (rounds < 1000) return 'malformed'
    return crypt(sha[1] === '5' ? 'sha256-crypt' : 'sha512-crypt', `rounds=${rounds}`)
  }
  const bcrypt = /^\$2[aby]\$(\d\d)\$[./0-9A-Za-z]{53}$/.exec(hash)
  if (bcrypt !== null) {
    const cost = Number(bcrypt[1])
    if (cost > MOST_BCRYPT_COST) return 'too-costly'
    return cost < 4 ? 'malformed' : crypt('bcrypt', `cost=${cost}`)
  }
  const yescrypt = /^\$y\$([./0-9A-Za-z]+)\$(?:[./0-9A-Za-z]{1,86})\$[./0-9A-Za-z]{43}$/.exec(hash)
  if (yescrypt !== null) {
    const setting = yescrypt[1] ?? ''
    return YESCRYPT_SETTINGS.has(setting) ? crypt('yescrypt', setting) : 'too-costly'
  }
  return parseScrypt(hash, crypt)
}

function parseScrypt(
  hash: string,
  crypt: (scheme: CryptScheme, cost: string) => StoredPassword,
): Parsed {
  const scrypt = /^\$7\$(.)(.{5})(.{5})[./0-9A-Za-z]{1,86}\$[./0-9A-Za-z]{43}$/.exec(hash)
  if (scrypt === null) return /^\$[0-9A-Za-z]/.test(hash) ? 'unknown-scheme' : 'malformed'
  const [, n = '', r = '', p = ''] = scrypt
  const kib = (2 ** ITOA64.indexOf(n) * 128 * itoa64(r)) / 1024
  if (!(kib > 0 && itoa64(p) > 0)) return 'malformed'
  return kib > MOST_MEMORY_KIB || itoa64(p) > MOST_LANES
    ? 'too-costly'
    : crypt('scrypt', `${n}${r}${p}`)
}

/** Five digits of crypt's base 64, the least significant first. */
function itoa64(text: string): number {
  return Array.from(text).reduceRight((value, digit) => value * 64 + ITOA64.indexOf(digit), 0)
}

function parseDigest(text: string, algorithm: string): Parsed {
  const bytes = fromBase64(text)
  const size = algorithm === 'sha1' ? 20 : algorithm === 'sha256' ? 32 : 64
  if (bytes === undefined || bytes.length <= size) return 'malformed'
  return {
    kind: 'digest',
    scheme: 'ssha',
    cost: algorithm,
    algorithm,
    digest: bytes.subarray(0, size),
    salt: bytes.subarray(size),
  }
}

function parsePbkdf2(text: string, algorithm: string): Parsed {
  const fields = /^(\d{1,9})\$([^$]+)\$([^$]+)$/.exec(text)
  // passlib's base 64, which OpenLDAP's module writes too: a dot for the plus, no padding.
  const salt = fromBase64((fields?.[2] ?? '').replaceAll('.', '+'))
  const digest = fromBase64((fields?.[3] ?? '').replaceAll('.', '+'))
  if (fields === null || salt === undefined || digest === undefined) return 'malformed'
  const size = algorithm === 'sha1' ? 20 : algorithm === 'sha256' ? 32 : 64
  const iterations = Number(fields[1])
  if (digest.length !== size || iterations < 1) return 'malformed'
  if (iterations > MOST_ITERATIONS) return 'too-costly'
  const cost = `${algorithm},${iterations}`
  return { kind: 'pbkdf2', scheme: 'pbkdf2', cost, algorithm, iterations, digest, salt }
}

function parseArgon2(hash: string): Parsed {
  const fields =
    /^\$argon2(?:i|d|id)\$v=(?:16|19)\$m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,9})\$([^$]+)\$([^$]+)$/.exec(
      hash,
    )
  if (fields === null) return 'malformed'
  const [memory, passes, lanes] = [Number(fields[1]), Number(fields[2]), Number(fields[3])]
  const salt = fromBase64(fields[4] ?? '')
  const digest = fromBase64(fields[5] ?? '')
  if (salt === undefined || digest === undefined) return 'malformed'
  // RFC 9106 section 3.1 asks for eight octets of salt and four of output at the least.
  if (salt.length < 8 || salt.length > 64 || digest.length < 4 || digest.length > 128) {
    return 'malformed'
  }
  if (memory > MOST_MEMORY_KIB || passes > MOST_PASSES || lanes > MOST_LANES) return 'too-costly'
  if (memory < 8 * lanes || passes < 1 || lanes < 1) return 'malformed'
  return { kind: 'argon2', scheme: 'argon2', cost: `m=${memory},t=${passes},p=${lanes}`, hash }
}

/** Base 64 with or without its padding; undefined for anything else, which Buffer would silently skip. */
function fromBase64(text: string): Buffer | undefined {
  const digits = text.replace(/={0,2}$/, '')
  if (digits === '' || !/^[A-Za-z0-9+/]+$/.test(digits) || digits.length % 4 === 1) return undefined
  return Buffer.from(digits, 'base64')
}
