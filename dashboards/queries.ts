import type { Query } from './panels.ts'

/** Selects the origins and providers that were picked. */
export const WHO = 'origin=~"$origin",provider=~"$provider"'
/** Selects the providers that were picked. */
export const AT = 'provider=~"$provider"'
const JUDGED = `increase(mailcanary_canaries_total{${WHO},verdict!="unknown"}[$__range])`

/** How many canaries had these verdicts in the time shown, by origin and provider. */
export function counted(verdicts: string): string {
  return `sum by (origin, provider) (increase(mailcanary_canaries_total{${WHO},verdict${verdicts}}[$__range]))`
}

/** The share of these verdicts; unknown is in no denominator: blind is not missing. */
export function shareOf(verdicts: string): string {
  return `${counted(verdicts)} / sum by (origin, provider) (${JUDGED})`
}

/** Median and 90th percentile of a histogram, by provider and hour. */
export function quantiles(metric: string, filter: string): Query[] {
  return [0.5, 0.9].map(quantile => ({
    expr: `histogram_quantile(${quantile}, sum by (le, provider) (increase(${metric}_bucket{${filter}}[1h])))`,
    legend: `{{provider}}, ${quantile * 10} of 10 within`,
  }))
}
