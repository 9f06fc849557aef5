import { pino } from 'pino'

import type { Clock } from '../base/clock.ts'
import type { DirectoryEvent } from '../directory/events.ts'
import { printable } from '../mail/reply.ts'
import type { ProbeEvent } from '../probe/events.ts'
import type { RelayEvent } from '../relay/events.ts'
import { entryOf, LEVELS, type Entry, type Level, type Tone } from './log-entry.ts'

type Event = RelayEvent | ProbeEvent | DirectoryEvent

export interface LogOptions {
  readonly format: 'human' | 'json'
  /** What is less is not written. Logins, addresses and destination domains need `debug`. */
  readonly level: Level
  readonly stream: { write(line: string): unknown }
  /** Whether colours may be used; see `wantsColour`. */
  readonly colour: boolean
  readonly clock: Clock
}

/** The log: every event that went up, as one line. */
export interface Log {
  relay(event: RelayEvent): void
  probe(event: ProbeEvent): void
  directory(event: DirectoryEvent): void
  /** A sentence of the program itself. */
  say(text: string, level?: Level): void
}

export function createLog(options: LogOptions): Log {
  const { level, clock } = options
  const verbose = level === 'debug'
  const least = LEVELS.indexOf(level)
  const write = options.format === 'json' ? jsonWriter(options) : humanWriter(options)
  const put = (entry: Entry, event?: Event): void => {
    if (LEVELS.indexOf(entry.level) >= least) write(entry, event)
  }
  const report = (event: Event): void => put(entryOf(event), event)

  function humanWriter({ stream, colour }: LogOptions): (entry: Entry) => void {
    return entry => stream.write(`${humanLine(entry, { at: clock(), colour, verbose })}\n`)
  }

  return {
    relay: report,
    probe: report,
    directory: report,
    say: (text, at = 'info') =>
      put({ level: at, tone: 'plain', subject: 'mailcanary', text, personal: '', login: '' }),
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
const DIM = '\u001b[2m'
const END = '\u001b[0m'
const SUBJECT_WIDTH = 10

/**
 * One line for people: time, subject, what happened.
 *
 * @param how.at milliseconds since the epoch, shown as local time
 * @param how.verbose names persons and destinations, and leaves addresses in the words of others
 */
export function humanLine(
  entry: Entry,
  how: { readonly at: number; readonly colour: boolean; readonly verbose: boolean },
): string {
  const time = timeOf(how.at)
  const subject = entry.subject.padEnd(SUBJECT_WIDTH)
  const mark = entry.level === 'error' ? 'ERROR ' : ''
  const text = mark + textOf(entry, how.verbose)
  if (!how.colour) return `${time} ${subject} ${text}`
  const colour = COLOURS[entry.tone]
  return `${DIM}${time}${END} ${subject} ${colour}${text}${colour === '' ? '' : END}`
}

/** The words of an entry: one line, without control characters, and below debug without anybody's address. */
export function textOf(entry: Entry, verbose: boolean): string {
  if (!verbose) return impersonal(printable(entry.text), entry.login)
  return printable(entry.personal === '' ? entry.text : `${entry.text}, ${entry.personal}`)
}

/** Servers like to repeat the recipient in their replies, and a reason may name who was refused. */
function impersonal(text: string, login: string): string {
  const hidden = text.replaceAll(/[^\s<>"'(),;:]+@[^\s<>"'(),;:]+/g, '…@…')
  return login === '' ? hidden : hidden.replaceAll(login, '…')
}

function jsonWriter(options: LogOptions): (entry: Entry, event?: Event) => void {
  const logger = pino(
    {
      level: options.level,
      base: {},
      timestamp: () => `,"time":"${new Date(options.clock()).toISOString()}"`,
      formatters: { level: label => ({ level: label }) },
    },
    { write: (line: string) => void options.stream.write(line) },
  )
  const verbose = options.level === 'debug'
  return (entry, event) => {
    const fields = event === undefined ? {} : fieldsOf(event, verbose)
    logger[entry.level]({ subject: entry.subject, ...fields }, textOf(entry, verbose))
  }
}

const PERSONAL = new Set(['login', 'destination'])

/** The fields of an event for machines; below debug without those that name a person. */
export function fieldsOf(event: Event, verbose: boolean): Record<string, unknown> {
  const { kind, ...rest } = event
  const login = 'login' in event ? event.login : ''
  const fields = Object.entries(rest)
    .filter(([name, value]) => value !== undefined && (verbose || !PERSONAL.has(name)))
    .map(([name, value]: [string, unknown]) => [
      name,
      typeof value === 'string' && !verbose ? impersonal(value, login) : value,
    ])
  return { event: kind, ...(Object.fromEntries(fields) as Record<string, unknown>) }
}

function timeOf(at: number): string {
  const date = new Date(at)
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map(part => String(part).padStart(2, '0'))
    .join(':')
}
