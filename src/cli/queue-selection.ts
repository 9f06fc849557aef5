import { InvalidArgumentError, type Command } from 'commander'

import type { HoldTarget, Selection } from '../app/queue-control.ts'
import { parseDuration } from '../base/duration.ts'
import { isId } from '../base/id.ts'
import { Problem } from '../base/problem.ts'
import type { QueueOptions } from './queue-access.ts'

const STATES = ['queued', 'active', 'held'] as const
type State = (typeof STATES)[number]

/** The filters as they stand on the command line. */
export interface FilterOptions {
  readonly relay?: string
  readonly destination?: string
  readonly login?: string
  readonly provider?: string
  /** Folder of the state, or state of a delivery, whichever it is. */
  readonly state?: readonly string[]
  readonly olderThan?: number
  readonly all?: boolean
  readonly everything?: boolean
}

/** Adds `--state`, which names the state folder or the state that deliveries are in, and can be given twice. */
export function addStateOption(command: Command, filter: boolean): Command {
  const collect = (value: string, before: readonly string[] = []): readonly string[] => [
    ...before,
    value,
  ]
  const folder = 'state folder of the relay, instead of --relay'
  return filter
    ? command.option('--state <state>', `only queued, active or held; or the ${folder}`, collect)
    : command.option('--state <folder>', folder, collect)
}

export function addFilterOptions(command: Command): Command {
  return addStateOption(command, true)
    .option('--destination <domain>', 'only what goes to this domain', readDomain)
    .option('--login <login>', 'only what this login has submitted', readLogin)
    .option(
      '--provider <name>',
      'only what a host of this provider (gmail, microsoft) was tried for last',
    )
    .option('--older-than <duration>', 'only what was accepted before (30m, 4h, 2d)', readAge)
}

/** The queue that was named, if one was. */
export function queueOf({ relay, state = [] }: FilterOptions): QueueOptions {
  const folders = state.filter(value => !isState(value))
  if (folders.length > 1) {
    throw new Problem(
      `--state names several folders: ${folders.join(', ')}; the states are ${STATES.join(', ')}`,
    )
  }
  const [folder] = folders
  return { ...(relay !== undefined && { relay }), ...(folder !== undefined && { state: folder }) }
}

/** What is meant by ids and filters; `all` where it is neither. */
export function selectionOf(ids: readonly string[], options: FilterOptions): Selection {
  const states = (options.state ?? []).filter(isState)
  if (states.length > 1) throw new Problem('name one --state')
  const { destination, login, provider, olderThan } = options
  const filters = {
    ...(destination !== undefined && { destination }),
    ...(login !== undefined && { login }),
    ...(provider !== undefined && { provider }),
    ...(states[0] !== undefined && { state: states[0] }),
    ...(olderThan !== undefined && { olderThan }),
  }
  const narrowed = Object.keys(filters).length > 0
  if (ids.length === 0) return narrowed ? filters : { all: true }
  if (narrowed || options.all === true) throw new Problem('name messages or filters, not both')
  return { ids: ids.map(messageName) }
}

/** As `selectionOf`, for what changes something: a filter that was forgotten must not mean the whole queue. */
export function requireMeant(ids: readonly string[], options: FilterOptions): Selection {
  const select = selectionOf(ids, options)
  if (select.all !== true || options.all === true) return select
  throw new Problem('name messages or a filter, or say --all')
}

/** The standing hold that `hold` or `release` means, if it means one. */
export function targetOf(ids: readonly string[], options: FilterOptions): HoldTarget | undefined {
  const { ids: _, all, ...filters } = selectionOf(ids, options)
  const alone = ids.length === 0 && options.all !== true
  if (options.everything === true) {
    if (alone && all === true) return { kind: 'everything', value: '' }
    throw new Problem('--everything is said alone')
  }
  const { destination, login } = filters
  if (!alone || Object.keys(filters).length !== 1) return undefined
  if (destination !== undefined) return { kind: 'destination', value: destination }
  return login === undefined ? undefined : { kind: 'login', value: login }
}

/** A queue id in capitals, or a Message-ID with its brackets, as people may leave them out. */
export function messageName(text: string): string {
  const id = text.trim().toUpperCase()
  if (isId(id)) return id
  if (text.includes('@')) return text.startsWith('<') ? text : `<${text}>`
  throw new Problem(`${text} is neither a queue id (16 letters and digits) nor a Message-ID`)
}

function isState(value: string): value is State {
  return (STATES as readonly string[]).includes(value)
}

function readDomain(text: string): string {
  const domain = text.replace(/^@/, '').toLowerCase()
  if (/^[^\s@<>,;]+$/.test(domain)) return domain
  throw new InvalidArgumentError('This is no domain.')
}

function readLogin(text: string): string {
  const login = text.toLowerCase()
  if (/^[^\s@:]+$/.test(login)) return login
  throw new InvalidArgumentError('This is no login; an address is not one.')
}

function readAge(text: string): number {
  const age = parseDuration(text)
  if (age !== undefined) return age
  throw new InvalidArgumentError('Write it as 30m, 4h or 2d.')
}
