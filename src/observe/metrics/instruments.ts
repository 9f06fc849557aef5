import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export type Labels = Readonly<Record<string, string>>

/** Every combination of the values of some labels: the series that exist from the start. */
export function combinations(sets: Readonly<Record<string, readonly string[]>>): readonly Labels[] {
  let rows: readonly Labels[] = [{}]
  for (const [label, values] of Object.entries(sets)) rows = extend(rows, label, values)
  return rows
}

/** The same rows with one more label, each once for every value. */
export function extend(
  rows: readonly Labels[],
  label: string,
  values: readonly string[],
): readonly Labels[] {
  const longer: Labels[] = []
  for (const row of rows) {
    for (const value of values) longer.push({ ...row, [label]: value })
  }
  return longer
}

/**
 * Has a metric go on with other series: those that stay keep their values, those that are gone are forgotten.
 *
 * @param value of the new ones
 */
export function followSeries(
  metric: Counter | Gauge | Histogram,
  before: readonly Labels[],
  after: readonly Labels[],
  value = 0,
): void {
  const keys = (series: readonly Labels[]): ReadonlySet<string> =>
    new Set(series.map(labels => JSON.stringify(labels)))
  const [old, now] = [keys(before), keys(after)]
  for (const labels of before) if (!now.has(JSON.stringify(labels))) metric.remove(labels)
  for (const labels of after) {
    if (old.has(JSON.stringify(labels))) continue
    if (metric instanceof Histogram) metric.zero(labels)
    else if (metric instanceof Gauge) metric.set(labels, value)
    else metric.inc(labels, 0)
  }
}

/**
 * A counter whose series exist at 0: `increase()` over a series that is born at 1 is 0, and the first loss unseen.
 *
 * @param labelNames needed where there may be no series yet
 */
export function counter(
  registry: Registry,
  name: string,
  help: string,
  series: readonly Labels[] = [{}],
  labelNames: readonly string[] = Object.keys(series[0] ?? {}),
): Counter {
  const made = new Counter({
    name,
    help,
    labelNames: [...labelNames],
    registers: registersOf(registry, labelNames, series),
  })
  for (const labels of series) made.inc(labels, 0)
  return made
}

/** A gauge whose series exist from the start, at `value`. */
export function gauge(
  registry: Registry,
  name: string,
  help: string,
  series: readonly Labels[] = [{}],
  value = 0,
  labelNames: readonly string[] = Object.keys(series[0] ?? {}),
): Gauge {
  const made = new Gauge({
    name,
    help,
    labelNames: [...labelNames],
    registers: registersOf(registry, labelNames, series),
  })
  for (const labels of series) made.set(labels, value)
  return made
}

// Mail arrives in a second or after a night of greylisting: both ends have to be told apart.
const FROM_SECONDS_TO_A_DAY = [
  1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400,
]

/** A histogram of seconds, from one second to a day, whose series exist at 0. */
export function durations(
  registry: Registry,
  name: string,
  help: string,
  series: readonly Labels[],
): Histogram {
  const labelNames = Object.keys(series[0] ?? {})
  const buckets = FROM_SECONDS_TO_A_DAY
  const registers = registersOf(registry, labelNames, series)
  const made = new Histogram({ name, help, labelNames, buckets, registers })
  for (const labels of series) made.zero(labels)
  return made
}

/** Where a metric is told of. One of nobody is not: it would have a series without a label, at 0, that alerts believe. */
function registersOf(
  registry: Registry,
  labelNames: readonly string[],
  series: readonly Labels[],
): Registry[] {
  return labelNames.length === 0 && series.length === 0 ? [] : [registry]
}
