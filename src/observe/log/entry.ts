export const LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type Level = (typeof LEVELS)[number]

/** How good the news is: what a colour may stress, and the words already say. */
export type Tone = 'plain' | 'good' | 'doubtful' | 'bad'

/** One event as a line of the log, before anybody has chosen a format. */
export interface Entry {
  readonly level: Level
  readonly tone: Tone
  /** What it is about, one word: `queue`, `canary`. */
  readonly subject: string
  readonly text: string
  /** Whom it concerns; named at debug level only, below it by a pseudonym. */
  readonly person: Person | undefined
}

/** A login, or the domain where somebody has mail. */
export interface Person {
  readonly preposition: 'from' | 'for' | 'to'
  readonly name: string
}

export function from(login: string): Person {
  return { preposition: 'from', name: login }
}

export function of(login: string): Person {
  return { preposition: 'for', name: login }
}

export function info(subject: string, text: string, person?: Person): Entry {
  return { level: 'info', tone: 'plain', subject, text, person }
}

export function debug(subject: string, text: string, person?: Person): Entry {
  return { ...info(subject, text, person), level: 'debug' }
}

export function warn(subject: string, text: string): Entry {
  return { ...info(subject, text), level: 'warn', tone: 'doubtful' }
}

export function fault(subject: string, text: string): Entry {
  return { ...warn(subject, text), level: 'error', tone: 'bad' }
}

/** Words in a row, without those that are not there. */
export function words(...parts: readonly (string | number)[]): string {
  return parts.filter(part => part !== '').join(' ')
}

/** So many of a thing: `1 tick`, `2 ticks`. */
export function many(count: number, one: string, more = `${one}s`): string {
  return `${count} ${count === 1 ? one : more}`
}
