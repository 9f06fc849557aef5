import type { Query } from './panels.ts'

/** Selects the origins and providers that were picked. */
export const WHO = 'origin=~"$origin",provider=~"$provider"'
/** Selects the providers that were picked. */
export const AT = 'provider=~"$provider"'
/** Selects the seeds that were picked. */
export const OF = 'provider=~"$provider",seed=~"$seed"'

/** Of what a share is: canaries with these verdicts, by some labels, in some time. */
export interface Of {
  readonly by?: string
  readonly filter?: string
  readonly over?: string
}

/** How many canaries had these verdicts. @param verdicts a matcher: `="inbox"` */
export function counted(verdicts: string, of: Of = {}): string {
  const { by = 'origin, provider', filter = WHO, over = '$__range' } = of
  return `sum by (${by}) (increase(mailcanary_canaries_total{${filter},verdict${verdicts}}[${over}]))`
}

/** The share of these verdicts; unknown is in no denominator: blind is not missing. */
export function shareOf(verdicts: string, of: Of = {}): string {
  return `${counted(verdicts, of)} / ${counted('!="unknown"', of)}`
}

/** One end of Wilson's 95 % interval of a share, as docs/statistics.md has it. */
export function wilson(verdicts: string, end: 'low' | 'high', of: Of = {}): string {
  const k = counted(verdicts, of)
  const n = counted('!="unknown"', of)
  const sign = end === 'low' ? '-' : '+'
  // 1.96 squared is 3.8416.
  return `(${k} + 1.9208 ${sign} 1.96 * sqrt(clamp_min(${k} * (${n} - ${k}) / ${n}, 0) + 0.9604)) / (${n} + 3.8416)`
}

/** Median and 90th percentile of a histogram, by hour. */
export function quantiles(metric: string, filter: string, by = 'provider'): Query[] {
  const name = by
    .split(', ')
    .map(label => `{{${label}}}`)
    .join(' to ')
  return [0.5, 0.9].map(quantile => ({
    expr: `histogram_quantile(${quantile}, sum by (le, ${by}) (increase(${metric}_bucket{${filter}}[1h])))`,
    legend: `${name}, ${quantile * 10} of 10 within`,
  }))
}

/** What a counter grew by in each hour. */
export function hourly(metric: string, by: string, filter = ''): string {
  return `sum by (${by}) (increase(${metric}{${filter}}[1h]))`
}
