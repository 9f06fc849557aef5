import { DAY, HOUR, MINUTE, SECOND } from './clock.ts'

const UNITS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', SECOND],
  ['m', MINUTE],
  ['h', HOUR],
  ['d', DAY],
])

/**
 * Reads a duration as people write it: `90s`, `30m`, `1h30m`, `5d`.
 *
 * @returns milliseconds, or undefined if the text is none (a number without its unit is none)
 */
export function parseDuration(text: string): number | undefined {
  if (!/^(?:\d+(?:ms|s|m|h|d))+$/.test(text)) return undefined
  let total = 0
  for (const [, amount, unit] of text.matchAll(/(\d+)(ms|s|m|h|d)/g)) {
    total += Number(amount) * (UNITS.get(unit ?? '') ?? 0)
  }
  return Number.isSafeInteger(total) ? total : undefined
}

/** Writes milliseconds for people, in at most two units: `420ms`, `12.5s`, `1h 30m`, `5d`. */
export function formatDuration(milliseconds: number): string {
  const ms = Math.abs(milliseconds)
  const sign = milliseconds < 0 ? '-' : ''
  if (ms < SECOND) return `${sign}${Math.round(ms)}ms`
  if (ms < MINUTE) return `${sign}${Number((ms / SECOND).toFixed(1))}s`
  const steps: ReadonlyArray<readonly [string, number, string, number]> = [
    ['d', DAY, 'h', HOUR],
    ['h', HOUR, 'm', MINUTE],
    ['m', MINUTE, 's', SECOND],
  ]
  for (const [big, bigSize, small, smallSize] of steps) {
    if (ms < bigSize) continue
    const rest = Math.floor((ms % bigSize) / smallSize)
    return `${sign}${Math.floor(ms / bigSize)}${big}${rest > 0 ? ` ${rest}${small}` : ''}`
  }
  return `${sign}${Math.round(ms)}ms`
}
