import type { BounceReport, CanaryRecord, ListedCanary, Tally } from './history.ts'
import {
  type Canary,
  type Sighting,
  type Verdict,
  VERDICT_LABELS,
  type VerdictLabel,
} from './model.ts'

/** One canary as every database keeps it. */
export interface CanaryRow {
  readonly id: string
  readonly probe: string
  readonly origin: string
  readonly seed: string
  readonly provider: string
  readonly content: string
  readonly token: string
  readonly scheduled_at: number
  readonly submitted_at: number
  readonly deadline_at: number
  readonly queue_id: string
  readonly verdict: string
  readonly decided_at: number
  readonly late_at: number
  readonly report: string
}

/** How many canaries of one cell and step had one verdict. */
export interface TallyRow {
  readonly origin: string
  readonly provider: string
  readonly seed: string
  readonly step: number
  readonly label: VerdictLabel
  readonly n: number
  readonly late: number
}

export function canaryOf(row: CanaryRow): Canary {
  return {
    id: row.id,
    probe: row.probe,
    origin: row.origin,
    seed: row.seed,
    provider: row.provider,
    content: row.content,
    token: row.token,
    scheduledAt: row.scheduled_at,
    submittedAt: row.submitted_at,
    deadlineAt: row.deadline_at,
    queueId: row.queue_id,
  }
}

export function listedOf(row: CanaryRow): ListedCanary {
  return {
    canary: canaryOf(row),
    verdict: row.verdict === '' ? undefined : (JSON.parse(row.verdict) as Verdict),
    decidedAt: row.decided_at,
    lateAt: row.late_at,
  }
}

/** @param sightings each as JSON, the one that is judged first */
export function recordOf(row: CanaryRow, sightings: readonly string[]): CanaryRecord {
  return {
    ...listedOf(row),
    sightings: sightings.map(sighting => JSON.parse(sighting) as Sighting),
    ...(row.report !== '' && { report: JSON.parse(row.report) as BounceReport }),
  }
}

/** @param rows those of one cell and step beside each other */
export function talliesOf(rows: readonly TallyRow[]): readonly Tally[] {
  const tallies: (Tally & { late: number; counts: Record<VerdictLabel, number> })[] = []
  for (const row of rows) {
    const { origin, provider, seed } = row
    let cell = tallies.at(-1)
    const same = cell?.from === row.step && cell.origin === origin && cell.seed === seed
    if (!cell || !same || cell.provider !== provider) {
      const counts = Object.fromEntries(VERDICT_LABELS.map(label => [label, 0]))
      cell = {
        origin,
        provider,
        seed,
        from: row.step,
        late: 0,
        counts: counts as Record<VerdictLabel, number>,
      }
      tallies.push(cell)
    }
    cell.counts[row.label] += row.n
    cell.late += row.late
  }
  return tallies
}
