import { DAY } from '../base/clock.ts'
import type { Rate } from './counts.ts'

/** Of 1,000 canaries one more or less is a tenth of a percent: no more digits than the sample has. */
export function percent(share: number): string {
  const value = 100 * share
  const text = value.toFixed(Math.abs(value) >= 99.95 || value === 0 ? 0 : 1)
  return `${text.replace('-', '−')} %`
}

/** `98.7 % (148 of 150, 95.3 % to 99.6 %)`. */
export function rateWords({ k, n, low, high }: Rate): string {
  if (n === 0) return 'no canary'
  return `${percent(k / n)} (${k} of ${n}, ${percent(low)} to ${percent(high)})`
}

/** Differences of rates are in percentage points. */
export function points(share: number): string {
  return `${share > 0 ? '+' : ''}${(100 * share).toFixed(1)}`.replace('-', '−')
}

/** `0.8 s`, `42 s`, `3 min 20 s`, `2 h 5 min`. */
export function secondsWords(seconds: number): string {
  const sign = seconds < 0 ? '−' : ''
  const s = Math.abs(seconds)
  if (s < 9.95) return `${sign}${s.toFixed(1)} s`
  if (s < 119.5) return `${sign}${Math.round(s)} s`
  const minutes = Math.floor(Math.round(s) / 60)
  if (minutes < 120) {
    const rest = Math.round(s) % 60
    return `${sign}${minutes} min${rest > 0 ? ` ${rest} s` : ''}`
  }
  return `${sign}${Math.floor(minutes / 60)} h${minutes % 60 > 0 ? ` ${minutes % 60} min` : ''}`
}

/** Small ones to two digits of their own: `p = 0.034`, `p < 0.0001`. */
export function pWords(p: number): string {
  if (p < 0.0001) return 'p < 0.0001'
  return `p = ${p < 0.095 ? Number(p.toPrecision(2)) : p.toFixed(2)}`
}

/** A day in UTC: `2026-11-23`. */
export function dayWords(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}

/** `2026-10-24 to 2026-11-23 (30 days)`, in UTC. */
export function periodWords(since: number, until: number): string {
  const days = Math.round((until - since) / DAY)
  const minute = (at: number): string => new Date(at).toISOString().slice(0, 16).replace('T', ' ')
  return days >= 2
    ? `${dayWords(since)} to ${dayWords(until)} (${days} days)`
    : `${minute(since)} to ${minute(until)} UTC`
}
