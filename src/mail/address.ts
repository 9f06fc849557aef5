import { isIPv4, isIPv6 } from 'node:net'
import { domainToASCII, domainToUnicode } from 'node:url'

/** A mailbox as the SMTP dialogue names it (RFC 5321 section 4.1.2, RFC 6531 section 3.3). */
export interface Address {
  /** What the local part means: without quotes, case kept (RFC 5321 section 2.4). */
  readonly local: string
  /** Lower-case A-labels, or an address literal as it is; '' for a bare `postmaster` (section 4.1.1.3). */
  readonly domain: string
}

// RFC 5321 section 4.5.3.1, in octets; 254 is a path of 256 without its angle brackets.
const MAX_LOCAL = 64
const MAX_DOMAIN = 255
const MAX_ADDRESS = 254

const ATOM = /^[\w!#$%&'*+\-/=?^`{|}~\u0080-\u{10ffff}]+$/u
const DOMAIN =
  /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/
// Controls of both sets, every blank but the one of ASCII, halves of surrogate pairs; the sign of octets that were no
// UTF-8; and the characters that reorder text, so that an address never reads as another one.
const FORBIDDEN = /[\p{Cc}\p{Cs}\p{Bidi_Control}\ufffd\p{Noncharacter_Code_Point}]|(?! )\p{Z}/u

/**
 * Reads a Mailbox (RFC 5321 section 4.1.2), without angle brackets and without a source route.
 *
 * @returns undefined if the text is none: this is strict, and nothing is repaired
 */
export function parseAddress(text: string): Address | undefined {
  if (text.length > MAX_ADDRESS || FORBIDDEN.test(text)) return undefined
  if (/^postmaster$/i.test(text)) return { local: text, domain: '' }
  const at = text.startsWith('"') ? endOfQuoted(text) : text.indexOf('@')
  if (at <= 0 || text[at] !== '@') return undefined
  const written = text.slice(0, at)
  const local = readLocal(written)
  const domain = readDomain(text.slice(at + 1))
  if (local === undefined || domain === undefined) return undefined
  // RFC 6531 section 3.3 keeps the limits in octets.
  if (octets(written) > MAX_LOCAL || octets(text) > MAX_ADDRESS) return undefined
  if (octets(written) + 1 + domain.length > MAX_ADDRESS) return undefined
  return { local, domain }
}

/** Writes an address, the local part quoted only where it must be (RFC 5321 section 4.1.2). */
export function formatAddress(address: Address): string {
  const local = isDotString(address.local)
    ? address.local
    : `"${address.local.replaceAll(/["\\]/g, String.raw`\$&`)}"`
  return address.domain === '' ? local : `${local}@${address.domain}`
}

/** Whether every character fits in seven bits. */
export function isAscii(text: string): boolean {
  return /^[\u0000-\u007f]*$/.test(text)
}

/**
 * One spelling for every way to write the same mailbox: quotes only where needed, domain in lower-case A-labels.
 * The case of the local part stays: only its own host may say that it means nothing (RFC 5321 section 2.4).
 *
 * @returns undefined if the text is no address
 */
export function addressKey(text: string): string | undefined {
  const address = parseAddress(text)
  return address === undefined ? undefined : formatAddress(address)
}

/**
 * Whether two texts name one mailbox as far as our own policy is concerned, which gives no meaning to the case of
 * a local part. Not for deciding where mail goes.
 */
export function sameMailbox(one: string, other: string): boolean {
  const [a, b] = [parseAddress(one), parseAddress(other)]
  return a !== undefined && b !== undefined && a.domain === b.domain && fold(a) === fold(b)
}

/**
 * The send-as rule: whether somebody entitled to `addresses` may stand as `candidate`. The case of the local part
 * means nothing, A-label and U-label are one, and `local+x@domain` comes with every `local@domain`.
 *
 * @returns false for anything that is no address, such as one with a dot at the end of its domain
 */
export function allowedBy(addresses: readonly string[], candidate: string): boolean {
  const wanted = parseAddress(candidate)
  if (wanted === undefined || wanted.domain === '') return false
  if (addresses.includes(candidate)) return true
  const folded = fold(wanted)
  return addresses.some(text => {
    const own = parseAddress(text)
    if (own === undefined || own.domain !== wanted.domain) return false
    const local = fold(own)
    if (local === folded) return true
    // A sub-address that needs quotes could be read as something else by a careless program.
    return folded.startsWith(`${local}+`) && isDotString(folded)
  })
}

/** Local part with its case folded, character by character. */
function fold(address: Address): string {
  // 'K' (U+212A) has the lower case 'k': a character outside ASCII must never come to equal one inside.
  return Array.from(address.local, c => {
    const lower = c.toLowerCase()
    return isAscii(c) || !isAscii(lower) ? lower : c
  }).join('')
}

function readLocal(written: string): string | undefined {
  if (!written.startsWith('"')) return isDotString(written) ? written : undefined
  const local = written.slice(1, -1).replaceAll(/\\(.)/gsu, '$1')
  return local === '' ? undefined : local
}

/** Index of the first character behind the quoted string that a text begins with, or -1. */
function endOfQuoted(text: string): number {
  for (let i = 1; i < text.length; i++) {
    if (text[i] === '\\') {
      i++
      // quoted-pairSMTP is ASCII only.
      if (!/^[ -~]$/.test(text[i] ?? '')) return -1
    } else if (text[i] === '"') return i + 1
  }
  return -1
}

function isDotString(text: string): boolean {
  return text.split('.').every(part => ATOM.test(part))
}

function readDomain(text: string): string | undefined {
  if (text.startsWith('[')) return readLiteral(text)
  const domain = isAscii(text) ? text.toLowerCase() : toAscii(text)
  if (domain === undefined || domain.length > MAX_DOMAIN || !DOMAIN.test(domain)) return undefined
  if (!domain.includes('xn--')) return domain
  // What is no A-label, or a second one for the same name, stays as it is or comes back as another.
  const unicode = domainToUnicode(domain)
  const genuine = !/(?:^|\.)xn--/.test(unicode) && domainToASCII(unicode) === domain
  return genuine ? domain : undefined
}

/** A-labels of an international domain name. */
function toAscii(text: string): string | undefined {
  const ascii = domainToASCII(text)
  // domainToASCII is made for browsers: it decodes %41, drops soft hyphens, reads wide letters and wide dots. Only
  // what comes back as it went in is the name that was written.
  const same = domainToUnicode(ascii) === text.normalize('NFC').toLowerCase()
  return ascii !== '' && same ? ascii : undefined
}

function readLiteral(text: string): string | undefined {
  const inner = /^\[(.*)\]$/.exec(text)?.[1]
  if (inner === undefined || inner.includes('%')) return undefined
  const six = /^IPv6:(.*)$/i.exec(inner)?.[1]
  return (six === undefined ? isIPv4(inner) : isIPv6(six)) ? text : undefined
}

function octets(text: string): number {
  return Buffer.byteLength(text)
}
