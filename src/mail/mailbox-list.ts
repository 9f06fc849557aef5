import { formatAddress, parseAddress } from './address.ts'

/*
 * The grammar of From and its like (RFC 5322 section 3.4 with the obsolete forms of section 4.4), read for one
 * purpose: to know who a message claims to come from. Programs disagree about the dark corners of this grammar, and
 * every disagreement is a way to be shown as somebody else. So whatever two programs might read differently is a
 * problem here, even where the grammar has one meaning for it.
 */

/** The mailboxes of a list, each in the one spelling of `formatAddress`, or why there is no saying. */
export type MailboxList =
  | { readonly ok: true; readonly mailboxes: readonly string[] }
  | { readonly ok: false; readonly problem: string }

interface Token {
  readonly kind: 'atom' | 'quoted' | 'literal' | 'comment' | 'special'
  /** As written. */
  readonly text: string
  /** Whether white space stands before it. */
  readonly spaced: boolean
}

/** Octets of one list, and mailboxes in it. A From with more than a handful is no work of a person. */
const MAX_LIST = 16 * 1024
const MAX_MAILBOXES = 100
const MAX_COMMENT_DEPTH = 20

// Specials of RFC 5322 section 3.2.3; blanks and controls are none of an atom either.
const ATOM = /[^ ()<>[\]:;@\\,."\u0000-\u001f\u007f]+/uy
const QUOTED = /"(?:[^"\\]|\\.)*"/suy
const LITERAL = /\[[^[\]\\\s]*\]/uy
const SPECIALS = '<>:;@,.'

class Unclear extends Error {}

/** Reads an unfolded list of mailboxes and groups. Every mailbox is returned, those inside groups too. */
export function readMailboxList(value: string): MailboxList {
  try {
    if (value.length > MAX_LIST) throw new Unclear('it is too long')
    if (/[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029]/.test(value)) {
      throw new Unclear('it holds control characters')
    }
    checkEncodedWords(value)
    const mailboxes = readList(tokenize(value))
    if (mailboxes.length === 0) throw new Unclear('it names nobody')
    if (mailboxes.length > MAX_MAILBOXES) throw new Unclear('it names too many')
    return { ok: true, mailboxes }
  } catch (error) {
    if (error instanceof Unclear) return { ok: false, problem: error.message }
    throw error
  }
}

function tokenize(value: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  let spaced = false
  const take = (kind: Token['kind'], end: number): void => {
    tokens.push({ kind, text: value.slice(at, end), spaced })
    at = end
    spaced = false
  }
  const match = (pattern: RegExp): number => {
    pattern.lastIndex = at
    return pattern.test(value) ? pattern.lastIndex : -1
  }
  while (at < value.length) {
    const c = value.charAt(at)
    if (c === ' ' || c === '\t') {
      spaced = true
      at++
      continue
    }
    if (SPECIALS.includes(c)) {
      take('special', at + 1)
      continue
    }
    const kind = c === '(' ? 'comment' : c === '"' ? 'quoted' : c === '[' ? 'literal' : 'atom'
    const end =
      kind === 'comment'
        ? endOfComment(value, at)
        : match(kind === 'quoted' ? QUOTED : kind === 'literal' ? LITERAL : ATOM)
    if (end < 0)
      throw new Unclear(`the ${kind} beginning at character ${at + 1} is not well-formed`)
    take(kind, end)
  }
  return tokens
}

/** Index behind the comment that begins at `start`, inner comments included (RFC 5322 section 3.2.2), or -1. */
function endOfComment(value: string, start: number): number {
  let depth = 0
  for (let i = start; i < value.length; i++) {
    const c = value[i]
    if (c === '\\') i++
    else if (c === '(' && ++depth > MAX_COMMENT_DEPTH) return -1
    else if (c === ')' && --depth === 0) return i + 1
  }
  return -1
}

function readList(tokens: readonly Token[]): string[] {
  const mailboxes: string[] = []
  let element: Token[] = []
  let inGroup = false
  let afterGroup = false
  let inAngle = false
  const finish = (): void => {
    const spoken = element.filter(token => token.kind !== 'comment')
    // Empty elements are obsolete, and mean nothing (RFC 5322 section 4.4).
    if (spoken.length > 0) {
      if (afterGroup) throw new Unclear('something follows a group')
      mailboxes.push(readMailbox(element))
    }
    element = []
  }
  for (const token of tokens) {
    const special = token.kind === 'special' ? token.text : ''
    if (special === '<') inAngle = true
    if (special === '>') inAngle = false
    if (special === ':' && inAngle) throw new Unclear('it holds a source route')
    if (special === ':') {
      if (inGroup || afterGroup) throw new Unclear('it holds a group within a group')
      const name = element.filter(part => part.kind !== 'comment')
      if (name.length === 0 || !isPhrase(name)) throw new Unclear('it holds a misplaced colon')
      inGroup = true
      element = []
    } else if (special === ',' && !inAngle) {
      finish()
      afterGroup = false
    } else if (special === ';') {
      if (!inGroup || inAngle) throw new Unclear('it holds a misplaced semicolon')
      finish()
      inGroup = false
      afterGroup = true
    } else {
      element.push(token)
    }
  }
  if (inGroup) throw new Unclear('it holds a group without its end')
  finish()
  return mailboxes
}

/** One mailbox: `alice@example.org`, `Alice <alice@example.org>`. */
function readMailbox(element: readonly Token[]): string {
  const open = element.findIndex(token => isSpecial(token, '<'))
  if (open < 0) {
    // Comments around an address are ordinary; inside it they are not.
    const first = element.findIndex(token => token.kind !== 'comment')
    const last = element.findLastIndex(token => token.kind !== 'comment')
    return readAddress(element.slice(first, last + 1))
  }
  const close = element.findIndex(token => isSpecial(token, '>'))
  if (close < open) throw new Unclear('its angle brackets do not match')
  const rest = element.slice(close + 1)
  if (rest.some(token => token.kind !== 'comment')) throw new Unclear('text follows an address')
  const name = element.slice(0, open).filter(token => token.kind !== 'comment')
  if (!isPhrase(name)) throw new Unclear('a display name holds an address or other specials')
  return readAddress(element.slice(open + 1, close))
}

function readAddress(tokens: readonly Token[]): string {
  const parts: string[] = []
  for (const [index, token] of tokens.entries()) {
    if (token.kind === 'comment') throw new Unclear('a comment stands inside an address')
    if (token.spaced && index > 0) throw new Unclear('white space stands inside an address')
    parts.push(token.text)
  }
  const text = parts.join('')
  const address = parseAddress(text)
  if (address === undefined || address.domain === '') throw new Unclear('it holds no valid address')
  // `=?utf-8?q?bob?=@example.org` is an atom by the grammar and bob to a program that decodes first.
  if (text.includes('=?')) throw new Unclear('an address holds an encoded word')
  // u with a combining diaeresis and ü look the same, and some programs make them the same.
  if (text.normalize('NFC') !== text) throw new Unclear('an address is not in its normal form')
  return formatAddress(address)
}

/** Words of a display name, or none; dots behind the first are obsolete (`John Q. Public`) and everywhere. */
function isPhrase(tokens: readonly Token[]): boolean {
  return tokens.every(
    (token, index) =>
      token.kind === 'atom' || token.kind === 'quoted' || (index > 0 && isSpecial(token, '.')),
  )
}

function isSpecial(token: Token, text: string): boolean {
  return token.kind === 'special' && token.text === text
}

/**
 * Refuses encoded words (RFC 2047) that a program which decodes before it parses would take for structure. Commas
 * and @ are too common in names to refuse; without angle brackets they end in an address that is visibly none.
 */
function checkEncodedWords(value: string): void {
  if (!value.includes('=?')) return
  for (const [, charset = '', encoding = '', text = ''] of value.matchAll(
    /=\?([^?\s]*)\?([^?\s]*)\?([^?]*)\?=/g,
  )) {
    const decoded = decodeWord(charset.replace(/\*.*$/, ''), encoding.toLowerCase(), text)
    if (decoded === undefined || /[\u0000-\u0008\u000a-\u001f\u007f<>]/.test(decoded)) {
      throw new Unclear('it holds an encoded word that hides structure')
    }
  }
}

function decodeWord(charset: string, encoding: string, text: string): string | undefined {
  if (encoding !== 'q' && encoding !== 'b') return undefined
  const octets =
    encoding === 'b'
      ? Buffer.from(text, 'base64')
      : Buffer.from(
          text
            .replaceAll('_', ' ')
            .replaceAll(/=([0-9A-Fa-f]{2})/g, (_, hex: string) =>
              String.fromCharCode(Number.parseInt(hex, 16)),
            ),
          'latin1',
        )
  // UTF-7 writes < as +ADw-.
  if (/^(?:unicode-1-1-)?utf-?7$/i.test(charset)) return undefined
  try {
    return new TextDecoder(charset).decode(octets)
  } catch {
    // A character set this program does not know: its ASCII still shows in the octets.
    return octets.toString('latin1')
  }
}
