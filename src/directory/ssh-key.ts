import { createHash } from 'node:crypto'

/*
 * Public keys of SSH (RFC 4253 section 6.6), as people put them into the directory. OWNERS WRITE THEM THEMSELVES, and what
 * is kept here ends in a line of authorized_keys, so a value is taken apart and only what was understood is kept: type and
 * key. A value with options (`from="..." ssh-rsa ...`) is not taken at all: a promise that we cannot keep.
 */

// How many fields follow the type: RFC 8709 section 4; RFC 4253 section 6.6 (e, n); RFC 5656 section 3.1 (curve, point);
// and OpenSSH's PROTOCOL.u2f for keys on tokens.
const FIELDS: ReadonlyMap<string, number> = new Map([
  ['ssh-ed25519', 1],
  ['ssh-rsa', 2],
  ['ecdsa-sha2-nistp256', 2],
  ['ecdsa-sha2-nistp384', 2],
  ['ecdsa-sha2-nistp521', 2],
  ['sk-ssh-ed25519@openssh.com', 2],
  ['sk-ecdsa-sha2-nistp256@openssh.com', 3],
])
/** A key of RSA with 16,384 bits, the largest that OpenSSH takes, has 2,072 octets. */
const LONGEST_KEY = 4_096
const LONGEST_VALUE = 8_192
// NIST SP 800-131A allows no shorter one since 2014.
const LEAST_RSA_BITS = 2_048

/** How many keys of one login are kept; more would be no work of a person. */
export const MOST_KEYS = 20

/** A key of the directory: `SHA256:fingerprint type base64`, ready to be looked up by its first word. */
export type KnownKey = string

/**
 * Reads a value of the directory: `type base64 comment`.
 *
 * @returns undefined for anything else, such as a key with options, of another type, or too weak
 */
export function readSshKey(value: string): KnownKey | undefined {
  if (value.length > LONGEST_VALUE || /[\u0000-\u0008\u000a-\u001f\u007f]/.test(value.trim())) {
    return undefined
  }
  const [type = '', text = ''] = value.trim().split(/[ \t]+/)
  const blob = Buffer.from(text, 'base64')
  // Node's decoder skips what it does not know; what it read must be what was written.
  if (blob.toString('base64') !== text || blob.length > LONGEST_KEY) return undefined
  const fields = fieldsOf(blob)
  if (fields?.[0]?.toString('latin1') !== type) return undefined
  if (fields.length - 1 !== FIELDS.get(type) || !isStrong(type, fields)) return undefined
  return `${fingerprintOf(blob)} ${type} ${text}`
}

/** As `ssh-keygen -l` prints it, and sshd gives it to a command as `%f`. */
export function fingerprintOf(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`
}

/** A fingerprint as it is looked up by. */
export function isFingerprint(text: string): boolean {
  return /^SHA256:[A-Za-z0-9+/]{43}$/.test(text)
}

/** The strings of RFC 4251 section 5 that the octets consist of, undefined where they do not. */
function fieldsOf(blob: Buffer): readonly Buffer[] | undefined {
  const fields: Buffer[] = []
  let at = 0
  while (at < blob.length) {
    if (at + 4 > blob.length) return undefined
    const end = at + 4 + blob.readUInt32BE(at)
    if (end > blob.length) return undefined
    fields.push(blob.subarray(at + 4, end))
    at = end
  }
  return fields
}

function isStrong(type: string, fields: readonly Buffer[]): boolean {
  const last = fields.at(-1) ?? Buffer.alloc(0)
  switch (type) {
    case 'ssh-rsa': {
      // An mpint begins with a zero octet where its highest bit would be a sign.
      const modulus = last[0] === 0 ? last.subarray(1) : last
      return modulus.length * 8 >= LEAST_RSA_BITS
    }
    case 'ssh-ed25519':
    case 'sk-ssh-ed25519@openssh.com':
      return fields[1]?.length === 32
    default:
      return type.includes(fields[1]?.toString('latin1') || '?') && (fields[2]?.length ?? 0) > 32
  }
}
