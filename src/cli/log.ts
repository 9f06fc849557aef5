import { createLog, wantsColour, type Log } from '../observe/log.ts'

/**
 * The log as the configuration wants it, on standard output: a supervisor keeps it.
 *
 * @param config undefined for the defaults
 */
export function logFor(
  config: { readonly format: 'auto' | 'human' | 'json'; readonly level: 'info' | 'debug' } = {
    format: 'auto',
    level: 'info',
  },
): Log {
  const automatic = process.stdout.isTTY ? 'human' : 'json'
  return createLog({
    format: config.format === 'auto' ? automatic : config.format,
    level: config.level,
    stream: process.stdout,
    colour: wantsColour(process.stdout, process.env),
    clock: Date.now,
  })
}
