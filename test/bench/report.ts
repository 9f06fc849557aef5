import type { Run } from './measure.ts'

/** A target and what was measured. */
export interface Verdict {
  readonly what: string
  readonly measured: string
  readonly target: string
  readonly met: boolean
}

/** What all servers came to in one scenario. */
export interface Row {
  readonly scenario: string
  readonly server: string
  readonly run: Run
}

/** A line of the table for people, and of `docs/performance.md`. */
export function formatRows(rows: readonly Row[]): string {
  return table(
    ['scenario', 'server', 'accepted/s', 'at the next hop/s', 'CPU ms', 'p50 ms', 'p99 ms'],
    rows.map(({ scenario, server, run }) => [
      scenario,
      server,
      run.accepted.toFixed(0),
      run.drained.toFixed(0),
      run.cpu.toFixed(2),
      run.p50.toFixed(0),
      run.p99.toFixed(0),
    ]),
  )
}

export function formatVerdicts(verdicts: readonly Verdict[]): string {
  return table(
    ['target', 'wanted', 'measured', ''],
    verdicts.map(({ what, target, measured, met }) => [
      what,
      target,
      measured,
      met ? 'met' : 'MISSED',
    ]),
  )
}

/** Markdown that can be read as it is. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map(row => (row[i] ?? '').length)),
  )
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`
  const rule = `|${widths.map(width => '-'.repeat(width + 2)).join('|')}|`
  return [line(head), rule, ...rows.map(line)].join('\n')
}
