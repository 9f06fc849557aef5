import { bad } from './refusal.ts'

/** An atom, string or literal, or a parenthesised list of them. One character is one octet (latin1). */
export type Token = string | readonly Token[]

/** A command as it was read: lines without their ends, and literals between them. */
export type CommandPart = string | Buffer

const DEEPEST = 16

/** Splits a command into its words (RFC 3501 section 4). `BODY.PEEK[HEADER.FIELDS (a b)]<0.9>` is one of them. */
export function tokenize(parts: readonly CommandPart[]): Token[] {
  const root: Token[] = []
  const open: Token[][] = [root]
  for (const part of parts) {
    if (Buffer.isBuffer(part)) {
      open.at(-1)?.push(part.toString('latin1'))
      continue
    }
    let at = 0
    while (at < part.length) {
      const character = part.charAt(at)
      if (character === ' ') {
        at += 1
      } else if (character === '(') {
        if (open.length > DEEPEST) throw bad('too many parentheses')
        const list: Token[] = []
        open.at(-1)?.push(list)
        open.push(list)
        at += 1
      } else if (character === ')') {
        if (open.length < 2) throw bad('unexpected parenthesis')
        open.pop()
        at += 1
      } else {
        const [token, next] = character === '"' ? quoted(part, at + 1) : atom(part, at)
        open.at(-1)?.push(token)
        at = next
      }
    }
  }
  if (open.length > 1) throw bad('missing parenthesis')
  return root
}

function quoted(text: string, from: number): [token: string, next: number] {
  let token = ''
  let at = from
  while (at < text.length && text.charAt(at) !== '"') {
    if (text.charAt(at) === '\\') at += 1
    token += text.charAt(at)
    at += 1
  }
  if (at >= text.length) throw bad('missing quote')
  return [token, at + 1]
}

function atom(text: string, from: number): [token: string, next: number] {
  let depth = 0
  let at = from
  while (at < text.length && (depth > 0 || !' ()"'.includes(text.charAt(at)))) {
    if (text.charAt(at) === '[') depth += 1
    if (text.charAt(at) === ']') depth -= 1
    at += 1
  }
  return [text.slice(from, at), at]
}

/** A token that has to be a word. */
export function word(token: Token | undefined): string {
  if (typeof token !== 'string') throw bad('a word is missing')
  return token
}

/** A token as a list of words; a lone word is a list of one. */
export function words(token: Token | undefined): string[] {
  if (token === undefined) throw bad('a list is missing')
  return typeof token === 'string' ? [token] : token.filter(inner => typeof inner === 'string')
}
