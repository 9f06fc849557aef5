import type { CanaryRecord } from '../../src/probe/history.ts'
import { labelOf, VERDICT_LABELS } from '../../src/probe/model.ts'
import { type Entry, isOnTheLine, objection, truthOf } from './ledger.ts'

/** How often what was true (rows) was judged to be what (columns), as a table for people. */
export function confusion(records: readonly (readonly [Entry, CanaryRecord])[]): string {
  const counts = new Map<string, number>()
  const fates = new Map<string, number>()
  for (const [entry, record] of records) {
    const judged = record.verdict ? labelOf(record.verdict) : 'none'
    // Where both words are true, what was said is.
    const either = isOnTheLine(entry, record) || objection(entry, record) === ''
    const truth = either && judged !== 'none' ? judged : truthOf(entry, record).label
    add(counts, `${truth} ${judged}`)
    const usual = entry.kind === 'relay' || entry.kind === 'untraced'
    const fate = usual ? (entry.blind === undefined ? entry.fate : 'blind') : entry.kind
    add(fates, `${entry.interrupted ? 'killed origin' : fate} ${truth} ${judged}`)
  }
  const columns = [...VERDICT_LABELS, 'none']
  return [
    line('', ['true \\ judged', ...columns]),
    ...VERDICT_LABELS.map(truth =>
      line('', [truth, ...columns.map(judged => String(counts.get(`${truth} ${judged}`) ?? 0))]),
    ),
    '',
    ...[...fates.keys()]
      .toSorted((a, b) => (a < b ? -1 : 1))
      .map(key => {
        const [judged, truth, ...fate] = key.split(' ').toReversed()
        return `${fate.toReversed().join(' ').padEnd(16)}${String(fates.get(key)).padStart(6)}  ${truth} → ${judged}`
      }),
  ].join('\n')
}

function line(indent: string, cells: readonly string[]): string {
  return indent + cells.map((cell, i) => (i === 0 ? cell.padEnd(14) : cell.padStart(9))).join('')
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
