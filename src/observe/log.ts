import { pino } from 'pino'

import type { AccountEvent } from '../account/events.ts'
import type { Clock } from '../base/clock.ts'
import type { DirectoryEvent } from '../directory/events.ts'
import { isAscii } from '../mail/address.ts'
import { printable } from '../mail/reply.ts'
import type { ProbeEvent } from '../probe/events.ts'
import type { RelayEvent } from '../relay/events.ts'
import { accountEntry } from './log/account-entry.ts'
import { directoryEntry } from './log/directory-entry.ts'
import { LEVELS, type Entry, type Level, type Tone } from './log/entry.ts'
import { probeEntry } from './log/probe-entry.ts'
import { relayEntry } from './log/relay-entry.ts'

type Event = RelayEvent | ProbeEvent | DirectoryEvent | AccountEvent

export interface LogOptions {
  readonly format: 'human' | 'json'
  /** What is less is not written. Logins, addresses and destination domains by name need `debug`. */
  readonly level: Level
  readonly stream: { write(line: string): unknown }
  /** Whether the journal keeps the lines: then each begins with its priority (sd-daemon(3)), and none tells the time again. */
  readonly journal?: boolean
  /** Whether colours may be used; see `wantsColour`. */
  readonly colour: boolean
  readonly clock: Clock
  /** What people are called below debug; without it they are left out. */
  readonly pseudonym?: Pseudonym
}

/** @returns the same for the same login, address or domain for some time, and meaningless to others */
export type Pseudonym = (name: string) => string

/** The log: every event that went up, as one line. */
export interface Log {
  relay(event: RelayEvent): void
  probe(event: ProbeEvent): void
  directory(event: DirectoryEvent): void
  account(event: AccountEvent): void
  /** A sentence of the program itself. */
  say(text: string, level?: Level): void
}

export function createLog(options: LogOptions): Log {
  const { level, clock, pseudonym } = options
  const naming: Naming = { verbose: level === 'debug', pseudonym }
  const least = LEVELS.indexOf(level)
  const write = options.format === 'json' ? jsonWriter(options) : humanWriter(options)
  const put = (entry: Entry, event?: Event): void => {
    if (LEVELS.indexOf(entry.level) >= least) write(entry, event)
  }

  function humanWriter({ stream, colour, journal = false }: LogOptions): (entry: Entry) => void {
    return entry => {
      const at = journal ? undefined : clock()
      const line = humanLine(entry, { at, colour, ...naming })
      stream.write(`${journal ? priorityOf(entry.level) : ''}${line}\n`)
    }
  }

  return {
    relay: event => put(relayEntry(event), event),
    probe: event => put(probeEntry(event), event),
    directory: event => put(directoryEntry(event), event),
    account: event => put(accountEntry(event), event),
    say: (text, at = 'info') =>
      put({ level: at, tone: 'plain', subject: 'mailcanary', text, person: undefined }),
  }
}

/** Colours are for people at a terminal who have not declined them (no-color.org). */
export function wantsColour(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  return stream.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
}

const COLOURS: Readonly<Record<Tone, string>> = {
  plain: '',
  good: '\u001b[32m',
  doubtful: '\u001b[33m',
  bad: '\u001b[31m',
}
// syslog's numbers (RFC 5424 section 6.2.1).
const PRIORITIES: Readonly<Record<Level, number>> = { debug: 7, info: 6, warn: 4, error: 3 }

function priorityOf(level: Level): string {
  return `<${PRIORITIES[level]}>`
}

const DIM = '\u001b[2m'
const END = '\u001b[0m'
const SUBJECT_WIDTH = 10

/**
 * One line for people: time, subject, what happened.
 *
 * @param how.at milliseconds since the epoch, shown as local time; undefined where somebody else tells it
 */
export function humanLine(
  entry: Entry,
  how: Naming & { readonly at: number | undefined; readonly colour: boolean },
): string {
  const time = how.at === undefined ? '' : `${timeOf(how.at)} `
  const subject = entry.subject.padEnd(SUBJECT_WIDTH)
  const mark = entry.level === 'error' ? 'ERROR ' : ''
  const text = mark + textOf(entry, how)
  if (!how.colour) return `${time}${subject} ${text}`
  const colour = COLOURS[entry.tone]
  return `${DIM}${time}${END}${subject} ${colour}${text}${colour === '' ? '' : END}`
}

/** The words of an entry: one line, without control characters, and below debug without anybody's address. */
export function textOf({ text, person }: Entry, naming: Naming): string {
  const { verbose, pseudonym } = naming
  const said = printable(text)
  // A destination is not masked: the names of its servers are what an operator has to read.
  const login = person === undefined || person.preposition === 'to' ? '' : person.name
  const words = verbose ? said : masked(said, login, pseudonym)
  const name = verbose ? person?.name : person && pseudonym?.(person.name)
  return person === undefined || name === undefined || person.name === ''
    ? words
    : printable(`${words}, ${person.preposition} ${name}`)
}

/** How people appear in the log. */
export interface Naming {
  /** By their names. */
  readonly verbose: boolean
  /** Otherwise by this, or not at all. */
  readonly pseudonym?: Pseudonym | undefined
}

// A local part may be quoted, and whoever puts an address into a URL writes %40 (RFC 3986 section 2.1). It begins where
// a word does, so that a long word is looked at once.
const ADDRESS = String.raw`(?:"[^"]*"|(?<![^\s<>"'(),;:=])[^\s<>"'(),;:=]+)(?:@|%40)[^\s<>"'(),;:&]+`

/** Servers like to repeat the recipient in their replies, and a reason may name who was refused. */
function masked(text: string, login: string, pseudonym: Pseudonym = nameless): string {
  // Nearly no text names anybody. Case aside, what is not in there is not found.
  const named = login !== '' && text.toLowerCase().includes(login.toLowerCase())
  if (!named && isAscii(text) && !/@|%40/.test(text)) return text
  const literal = login.replaceAll(/./gsu, character => {
    return String.raw`\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
  })
  const word = String.raw`(?<![\p{L}\p{N}])${literal}(?![\p{L}\p{N}])`
  const personal = new RegExp(login === '' ? ADDRESS : `${ADDRESS}|${word}`, 'giu')
  // The end of a sentence is no part of an address.
  return text.replaceAll(personal, found =>
    pseudonym(found.replace(/%40/, '@').replace(/[.\]]+$/, '')),
  )
}

function nameless(name: string): string {
  return name.includes('@') ? '…@…' : '…'
}

function jsonWriter(options: LogOptions): (entry: Entry, event?: Event) => void {
  const { journal = false } = options
  let priority = ''
  const logger = pino(
    {
      level: options.level,
      base: {},
      timestamp: journal ? false : () => `,"time":"${new Date(options.clock()).toISOString()}"`,
      formatters: { level: label => ({ level: label }) },
    },
    { write: (line: string) => void options.stream.write(priority + line) },
  )
  const naming: Naming = { verbose: options.level === 'debug', pseudonym: options.pseudonym }
  return (entry, event) => {
    if (journal) priority = priorityOf(entry.level)
    const fields = event === undefined ? {} : fieldsOf(event, naming)
    logger[entry.level]({ subject: entry.subject, ...fields }, textOf(entry, naming))
  }
}

const PERSONAL = new Set(['login', 'destination'])

/** The fields of an event for machines; below debug with pseudonyms for those that name a person, or without them. */
export function fieldsOf(event: Event, { verbose, pseudonym }: Naming): Record<string, unknown> {
  const login = 'login' in event ? event.login : ''
  const shown = (name: string, value: unknown): unknown => {
    if (verbose || typeof value !== 'string') return value
    return PERSONAL.has(name) ? pseudonym?.(value) : masked(value, login, pseudonym)
  }
  const fields: Record<string, unknown> = { event: event.kind }
  for (const [name, value] of Object.entries(event) as [string, unknown][]) {
    const said = name === 'kind' ? undefined : shown(name, value)
    if (said !== undefined) fields[name] = said
  }
  return fields
}

function timeOf(at: number): string {
  const date = new Date(at)
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map(part => String(part).padStart(2, '0'))
    .join(':')
}
