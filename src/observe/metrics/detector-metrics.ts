import type { Registry } from 'prom-client'

import type { DetectorReading } from '../../probe/detector.ts'
import { followSeries, gauge } from './instruments.ts'

const LABELS = ['origin', 'provider', 'signal']

/** Metrics of the detector, of whatever it watches at the time. @returns what sets them; undefined where the readings could not be had */
export function detectorMetrics(
  registry: Registry,
  known: readonly DetectorReading[],
): (readings: readonly DetectorReading[] | undefined) => void {
  let series = known.map(labelsOf)
  const make = (name: string, help: string): ReturnType<typeof gauge> =>
    gauge(registry, `mailcanary_detector_${name}`, help, series, 0, LABELS)
  const statistic = make(
    'statistic',
    'Evidence that canaries fail more than they used to: 0 is none, 1 an alarm, on a logarithmic scale.',
  )
  const alarm = make('alarm', 'Whether canaries fail more than they used to (1) or not (0).')
  const baseline = make(
    'baseline_ratio',
    'Share of canaries that fails while all is well, as set or as learnt from the days before.',
  )
  const canaries = make(
    'canaries',
    'Canaries with a verdict since the evidence began to gather; 0 while there is none.',
  )
  const failures = make(
    'failures',
    'Of the canaries since the evidence began to gather: how many failed.',
  )
  return readings => {
    if (readings === undefined) return
    const now = readings.map(labelsOf)
    for (const metric of [statistic, alarm, baseline, canaries, failures]) {
      followSeries(metric, series, now)
    }
    series = now
    for (const reading of readings) {
      const labels = labelsOf(reading)
      statistic.set(labels, reading.evidence)
      alarm.set(labels, reading.alarm ? 1 : 0)
      baseline.set(labels, reading.baseline)
      canaries.set(labels, reading.canaries)
      failures.set(labels, reading.failures)
    }
  }
}

function labelsOf({ origin, provider, signal }: DetectorReading): Record<string, string> {
  return { origin, provider, signal }
}
