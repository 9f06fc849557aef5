import { fstatSync } from 'node:fs'

import { createLog, wantsColour, type Log, type Pseudonym } from '../observe/log.ts'

/**
 * The log as the configuration wants it, on standard output: a supervisor keeps it. Unless told it is for people at a
 * terminal and in the journal, and JSON elsewhere.
 *
 * @param config undefined for the defaults
 * @param pseudonym what people are called in it; without one they are left out
 */
export function logFor(
  config: { readonly format: 'auto' | 'human' | 'json'; readonly level: 'info' | 'debug' } = {
    format: 'auto',
    level: 'info',
  },
  pseudonym?: Pseudonym,
): Log {
  const journal = isJournal(process.stdout.fd, process.env)
  const automatic = process.stdout.isTTY || journal ? 'human' : 'json'
  return createLog({
    format: config.format === 'auto' ? automatic : config.format,
    level: config.level,
    journal,
    stream: gathered(process.stdout),
    colour: wantsColour(process.stdout, process.env),
    clock: Date.now,
    ...(pseudonym !== undefined && { pseudonym }),
  })
}

/** Whether what is written to a file descriptor goes to systemd's journal: the variable alone may be somebody else's. */
function isJournal(fd: number, env: Readonly<Record<string, string | undefined>>): boolean {
  const { JOURNAL_STREAM: stream } = env
  if (stream === undefined) return false
  const { dev, ino } = fstatSync(fd, { bigint: true })
  return stream === `${dev}:${ino}`
}

/** Writes what comes in one turn of the event loop at once: a busy relay says some thousand lines a second. */
function gathered(stream: NodeJS.WriteStream): { write(line: string): void } {
  let lines: string[] = []
  const flush = (): void => {
    const text = lines.join('')
    lines = []
    if (text !== '') stream.write(text)
  }
  // The last words before an end that nobody expected.
  process.once('exit', flush)
  return {
    write(line) {
      if (lines.push(line) === 1) setImmediate(flush)
    },
  }
}
