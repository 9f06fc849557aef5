import { RANGES, type CanaryQuestion, type RangeName } from './status-data.ts'

/*
 * What is looked at stands in the address, so that it can be sent to somebody, and is there again after a reload.
 */

const FILTERS = ['origin', 'provider', 'seed', 'verdict'] as const

export function rangeInAddress(): RangeName {
  const given = new URLSearchParams(location.search).get('range')
  return RANGES.find(name => name === given) ?? '24h'
}

export function questionInAddress(): CanaryQuestion {
  const given = new URLSearchParams(location.search)
  const [origin = '', provider = '', seed = '', verdict = ''] = FILTERS.map(
    name => given.get(name) ?? '',
  )
  return { origin, provider, seed, verdict }
}

/** Changes part of the address without a new page; '' takes a part out. */
export function putInAddress(parts: Readonly<Record<string, string>>): void {
  const given = new URLSearchParams(location.search)
  for (const [name, value] of Object.entries(parts)) {
    if (value === '') given.delete(name)
    else given.set(name, value)
  }
  const query = given.toString()
  history.replaceState(null, '', `${location.pathname}${query === '' ? '' : `?${query}`}`)
}

/** A query of what is not '', with its `?`. */
export function queryOf(parts: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(Object.entries(parts).filter(([, value]) => value !== ''))
  return query.size === 0 ? '' : `?${query.toString()}`
}
