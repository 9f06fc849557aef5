import { fieldOf } from './header.ts'
import type { StoredMessage } from './mailbox.ts'
import { bad } from './refusal.ts'
import { word, type Token } from './tokenizer.ts'
import { inSet, parseDate } from './wire.ts'

const DAY = 86_400_000

export interface Candidate {
  readonly sequence: number
  readonly message: StoredMessage
}

type Condition = (candidate: Candidate) => boolean

/** Largest numbers of the selected mailbox: what `*` stands for. */
export interface Largest {
  readonly sequence: number
  readonly uid: number
}

/** Compiles the keys of a SEARCH (RFC 3501 section 6.4.4); all of them have to hold. */
export function searchCondition(keys: readonly Token[], largest: Largest): Condition {
  const rest = [...keys]
  if (typeof rest[0] === 'string' && rest[0].toUpperCase() === 'CHARSET') rest.splice(0, 2)
  const conditions: Condition[] = []
  while (rest.length > 0) conditions.push(nextCondition(rest, largest))
  return candidate => conditions.every(condition => condition(candidate))
}

function nextCondition(rest: Token[], largest: Largest): Condition {
  const key = rest.shift()
  if (typeof key === 'object') return searchCondition(key, largest)
  const name = word(key).toUpperCase()
  const argument = (): string => word(rest.shift())
  switch (name) {
    case 'ALL':
      return () => true
    case 'NEW':
    case 'RECENT':
      return () => false
    case 'NOT': {
      const condition = nextCondition(rest, largest)
      return candidate => !condition(candidate)
    }
    case 'OR': {
      const [left, right] = [nextCondition(rest, largest), nextCondition(rest, largest)]
      return candidate => left(candidate) || right(candidate)
    }
    case 'UID': {
      const set = argument()
      return ({ message }) => inSet(set, message.uid, largest.uid)
    }
    case 'SEEN':
    case 'DELETED':
    case 'FLAGGED':
    case 'ANSWERED':
    case 'DRAFT':
      return ({ message }) => hasFlag(message, `\\${name}`)
    case 'UNSEEN':
    case 'UNDELETED':
    case 'UNFLAGGED':
      return ({ message }) => !hasFlag(message, `\\${name.slice(2)}`)
    case 'KEYWORD':
      return keyword(argument())
    case 'HEADER':
      return contains(argument(), argument())
    case 'SUBJECT':
    case 'FROM':
    case 'TO':
    case 'CC':
      return contains(name, argument())
    case 'TEXT':
    case 'BODY':
      return anywhere(argument())
    case 'SINCE':
    case 'SENTSINCE': {
      const day = parseDate(argument())
      return ({ message }) => dayOf(message) >= day
    }
    case 'BEFORE': {
      const day = parseDate(argument())
      return ({ message }) => dayOf(message) < day
    }
    case 'LARGER': {
      const size = Number(argument())
      return ({ message }) => message.raw.length > size
    }
    case 'X-GM-RAW':
      return gmailQuery(argument())
    default: {
      if (!/^[\d*:,]+$/.test(name)) throw bad('Unknown search key')
      return ({ sequence }) => inSet(name, sequence, largest.sequence)
    }
  }
}

// Of Gmail's own search language: the tab, and the Message-ID.
function gmailQuery(query: string): Condition {
  const category = /^category:(\w+)$/i.exec(query)?.[1]?.toLowerCase()
  if (category !== undefined) return ({ message }) => message.tab === category
  const id = /^rfc822msgid:<?([^>]*)>?$/i.exec(query)?.[1]
  return id === undefined ? anywhere(query) : contains('message-id', id)
}

function contains(field: string, text: string): Condition {
  const [name, wanted] = [field.toLowerCase(), text.toLowerCase()]
  return ({ message }) => (fieldOf(message.raw, name) ?? '').toLowerCase().includes(wanted)
}

function anywhere(text: string): Condition {
  const wanted = text.toLowerCase()
  return ({ message }) => message.raw.toString('latin1').toLowerCase().includes(wanted)
}

function keyword(flag: string): Condition {
  return ({ message }) => hasFlag(message, flag)
}

function hasFlag(message: StoredMessage, flag: string): boolean {
  const wanted = flag.toUpperCase()
  return [...message.flags].some(held => held.toUpperCase() === wanted)
}

function dayOf(message: StoredMessage): number {
  return Math.floor(message.internalDate / DAY) * DAY
}
