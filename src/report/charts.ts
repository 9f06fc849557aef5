import { escaped } from '../base/html.ts'
import type { Interval } from '../probe/statistics/interval.ts'
import { judgedOf } from './counts.ts'
import type { Rate } from './counts.ts'
import type { DayOfRoute } from './summary.ts'
import { dayWords, percent, points, secondsWords } from './words.ts'

/*
 * Charts as SVG within the page: they need no script, follow its colours, and print. Each element says its numbers when
 * it is pointed at; the tables beside them say all of it in words.
 */

/** Verdicts from the bottom of a bar to its top. */
const STACK = ['inbox', 'other', 'spam', 'rejected', 'bounced', 'missing', 'unknown'] as const

const WIDTH = 720

/** What became of the canaries of each day, as shares; a day without canaries is a gap. */
export function daysChart(days: readonly DayOfRoute[], title: string): string {
  const height = 120
  const step = WIDTH / Math.max(1, days.length)
  const gap = Math.min(2, step * 0.18)
  const bars = days.map(({ day, counts }, i) => {
    const n = judgedOf(counts) + counts.unknown
    if (n === 0) return ''
    let below = 0
    const parts = STACK.filter(label => counts[label] > 0).map(label => {
      const size = (counts[label] / n) * height
      below += size
      return rect(i * step, height - below, step - gap, size, label)
    })
    const told = STACK.filter(label => counts[label] > 0)
      .map(label => `${counts[label]} ${label}`)
      .join(', ')
    return `<g><title>${dayWords(day)}: ${told} (n = ${n})</title>${parts.join('')}</g>`
  })
  return `<svg class="days" viewBox="0 -1 ${WIDTH + 60} ${height + 28}" role="img" aria-label="${escaped(title)}">
${gridLine(0, '100 %')}${gridLine(height / 2, '50 %')}${gridLine(height, '0 %')}
${bars.join('\n')}
${dayAxis(days, height)}
</svg>`
}

/** Half of the canaries, and nine of ten, arrived within: seconds on a logarithmic scale. */
export function timesChart(days: readonly DayOfRoute[], title: string): string {
  const height = 100
  const known = days.flatMap(({ day, times }, i) => (times ? [{ i, day, ...times }] : []))
  if (known.length === 0) return ''
  const lowest = Math.max(0.5, Math.min(...known.map(({ p50 }) => p50)) / 1.3)
  const highest = Math.max(lowest * 4, Math.max(...known.map(({ p90 }) => p90)) * 1.3)
  const y = (seconds: number): number => {
    const share = Math.log(Math.max(lowest, seconds) / lowest) / Math.log(highest / lowest)
    return height * (1 - share)
  }
  const step = WIDTH / Math.max(1, days.length)
  const x = (i: number): number => (i + 0.5) * step
  const ticks = [1, 5, 20, 60, 300, 1_200, 3_600, 14_400, 86_400].filter(
    tick => tick >= lowest && tick <= highest,
  )
  const bars = known.map(({ i, day, p50, p90, n }) => {
    const told = `${dayWords(day)}: half within ${secondsWords(p50)}, nine of ten within ${secondsWords(p90)} (n = ${n})`
    return `<g><title>${told}</title><line class="spread" x1="${x(i).toFixed(1)}" x2="${x(i).toFixed(1)}" y1="${y(p90).toFixed(1)}" y2="${y(p50).toFixed(1)}" stroke-width="${Math.min(8, step * 0.5).toFixed(1)}"/><circle class="median" cx="${x(i).toFixed(1)}" cy="${y(p50).toFixed(1)}" r="${Math.min(3.2, Math.max(1, step * 0.28)).toFixed(1)}"/></g>`
  })
  return `<svg class="times" viewBox="0 -6 ${WIDTH + 60} ${height + 32}" role="img" aria-label="${escaped(title)}">
${ticks.map(tick => gridLine(y(tick), secondsWords(tick))).join('')}
${bars.join('\n')}
${dayAxis(days, height)}
</svg>`
}

/** A rate and its interval on a line from 0 to 100 %. */
export function rateStrip({ k, n, low, high }: Rate, kind: 'inbox' | 'arrived'): string {
  const width = 200
  if (n === 0) return ''
  const x = (share: number): string => (share * width).toFixed(1)
  return `<svg class="strip ${kind}" viewBox="-4 0 ${width + 8} 14" aria-hidden="true"><line class="track" x1="0" x2="${width}" y1="7" y2="7"/><line class="interval" x1="${x(low)}" x2="${x(high)}" y1="7" y2="7"/><circle cx="${x(k / n)}" cy="7" r="4"/></svg>`
}

/** Differences with their intervals below each other, about the line of no difference. */
export function differenceStrip(
  estimate: number,
  { low, high }: Interval,
  reach: number,
  sure: boolean,
): string {
  const width = 240
  const x = (share: number): string =>
    ((0.5 + Math.max(-1, Math.min(1, share / reach)) / 2) * width).toFixed(1)
  const told = `${points(estimate)} points (${points(low)} to ${points(high)})`
  return `<svg class="difference${sure ? ' sure' : ''}" viewBox="-5 0 ${width + 10} 18" role="img" aria-label="${told}"><title>${told}</title><line class="none" x1="${width / 2}" x2="${width / 2}" y1="0" y2="18"/><line class="interval" x1="${x(low)}" x2="${x(high)}" y1="9" y2="9"/><circle cx="${x(estimate)}" cy="9" r="4.5"/></svg>`
}

function rect(x: number, y: number, width: number, height: number, name: string): string {
  return `<rect class="${name}" x="${x.toFixed(2)}" y="${y.toFixed(2)}" width="${width.toFixed(2)}" height="${height.toFixed(2)}"/>`
}

function gridLine(y: number, label: string): string {
  return `<line class="grid" x1="0" x2="${WIDTH}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}"/><text x="${WIDTH + 6}" y="${(y + 4).toFixed(1)}">${label}</text>`
}

/** Some four dates, none of them cut off. */
function dayAxis(days: readonly DayOfRoute[], height: number): string {
  const every = Math.max(1, Math.ceil(days.length / 4))
  const step = WIDTH / Math.max(1, days.length)
  return days
    .flatMap(({ day }, i) =>
      i % every === 0
        ? [`<text x="${(i * step).toFixed(1)}" y="${height + 22}">${dayWords(day)}</text>`]
        : [],
    )
    .join('')
}

/** What the colours mean, of those that occur. */
export function legend(present: readonly string[]): string {
  const words: Readonly<Record<(typeof STACK)[number], string>> = {
    inbox: 'inbox',
    other: 'another folder',
    spam: 'spam',
    rejected: 'rejected by the origin',
    bounced: 'bounced',
    missing: 'missing',
    unknown: 'unknown (mailbox not readable)',
  }
  const items = STACK.filter(label => present.includes(label)).map(
    label =>
      `<li><svg viewBox="0 0 10 10" aria-hidden="true"><rect class="${label}" width="10" height="10" rx="2"/></svg>${words[label]}</li>`,
  )
  return `<ul class="legend">${items.join('')}</ul>`
}

export function shareOf({ k, n }: Rate): string {
  return n === 0 ? '–' : percent(k / n)
}
