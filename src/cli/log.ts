import { createLog, wantsColour, type Log, type Pseudonym } from '../observe/log.ts'

/**
 * The log as the configuration wants it, on standard output: a supervisor keeps it.
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
  const automatic = process.stdout.isTTY ? 'human' : 'json'
  return createLog({
    format: config.format === 'auto' ? automatic : config.format,
    level: config.level,
    stream: process.stdout,
    colour: wantsColour(process.stdout, process.env),
    clock: Date.now,
    ...(pseudonym !== undefined && { pseudonym }),
  })
}
