import { createHash } from 'node:crypto'

import { escaped } from '../base/html.ts'
import { daysChart, differenceStrip, legend, rateStrip, shareOf, timesChart } from './charts.ts'
import type { Comparison } from './compared.ts'
import { distinct, type Rate, sumOf } from './counts.ts'
import { STYLE } from './page-style.ts'
import type { Route, Summary } from './summary.ts'
import { dayWords, percent, periodWords, points, pWords, rateWords, secondsWords } from './words.ts'

export interface PageOptions {
  readonly summary: Summary
  readonly comparison?: Comparison
  /** When it was made, milliseconds since the epoch. */
  readonly at: number
  readonly version: string
}

/** The report as one HTML file, to be mailed, kept and printed: it loads nothing and runs nothing. */
export function reportPage({ summary, comparison, at, version }: PageOptions): string {
  const hash = createHash('sha256').update(STYLE).digest('base64')
  const { since, until, routes } = summary
  const providers = distinct(routes.map(({ provider }) => provider))
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>Did the mail arrive? ${escaped(periodWords(since, until))}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<p>mailcanary</p>
<h1>${headline(summary)}</h1>
${lead(summary)}
<p class="quiet">${escaped(periodWords(since, until))} · ${summary.canaries} canaries with a verdict</p>
</header>
<main>
${comparison ? comparisonSection(comparison) : ''}
<section aria-labelledby="providers">
<h2 id="providers">By provider</h2>
<p class="quiet">Each canary is a message like anybody’s, sent to an account of ours and looked for there. The bars are its days.</p>
${legend(presentIn(summary))}
${providers.map(provider => providerCard(provider, summary)).join('\n')}
</section>
${seedSection(summary)}
</main>
<footer>
<p>A rate is of the canaries that could be judged; the interval behind it holds the true rate with 95 % confidence (Wilson). Canaries whose
mailbox could not be read are unknown: they are in no rate. Loss is decided once, at the deadline; what came later stays missing and is
counted as late.${timesNote(summary)} Days are those of UTC. Methods, sources and limits: docs/statistics.md of mailcanary.</p>
<p>Made by mailcanary ${escaped(version)} on ${escaped(new Date(at).toISOString().slice(0, 16).replace('T', ' '))} UTC.</p>
</footer>
</body>
</html>
`.replaceAll(/(?<=\d) %/g, '&nbsp;%')
}

function headline({ routes, canaries }: Summary): string {
  if (canaries === 0) return 'No canary has had a verdict in this time'
  const { k, n } = inboxOf(routes)
  if (n === 0) return 'No canary could be judged in this time'
  return `${percent(k / n)} of the canaries reached an inbox`
}

/** How much stands behind the headline, and the worst: that is what somebody opens a report for. */
function lead({ routes }: Summary): string {
  const { k, n } = inboxOf(routes)
  if (n === 0) return ''
  const judged = routes.filter(({ inbox }) => inbox.n > 0)
  const [worst] = judged.toSorted((a, b) => a.inbox.k / a.inbox.n - b.inbox.k / b.inbox.n)
  const least =
    worst === undefined || judged.length === 1
      ? ''
      : ` Fewest from ${escaped(worst.origin)} to ${escaped(worst.provider)}: ${rateWords(worst.inbox)}.`
  return `<p class="lead">${k} of ${n} that could be judged.${least}</p>`
}

function inboxOf(routes: readonly Route[]): { readonly k: number; readonly n: number } {
  return routes.reduce((sum, { inbox }) => ({ k: sum.k + inbox.k, n: sum.n + inbox.n }), {
    k: 0,
    n: 0,
  })
}

function providerCard(provider: string, { routes }: Summary): string {
  const own = routes.filter(route => route.provider === provider)
  return `<article class="card">
<h3>${escaped(provider)}</h3>
${own.map(routeBlock).join('\n')}
</article>`
}

function routeBlock(route: Route): string {
  const { origin, provider, times, late, counts, days } = route
  const name = `${origin} to ${provider}`
  const more = [
    ...(late > 0 ? [`${late} came late`] : []),
    ...(counts.unknown > 0 ? [`${counts.unknown} unknown`] : []),
  ]
  const chart = timesChart(days, `Time to arrival by day, ${name}`)
  return `<section class="route" aria-label="${escaped(name)}">
<header><p>from ${escaped(origin)}</p>${more.length > 0 ? `<p class="quiet small">${more.join(', ')}</p>` : ''}</header>
<dl class="facts">
${fact('in the inbox', route.inbox, 'inbox')}
${fact('arrived at all', route.arrived, 'arrived')}
<div><dt>half arrived within</dt><dd><strong>${times ? secondsWords(times.p50) : '–'}</strong><span>${times ? `nine of ten within ${secondsWords(times.p90)}, n = ${times.n}` : 'nothing arrived'}</span></dd></div>
</dl>
<div class="charts"><figure><figcaption>Verdicts of each day</figcaption>${daysChart(days, `Verdicts by day, ${name}`)}</figure>
${chart === '' ? '' : `<figure><figcaption>Time to arrival: half of a day’s canaries (dot), nine of ten (bar)</figcaption>${chart}</figure>`}
</div></section>`
}

function fact(what: string, rate: Rate, kind: 'inbox' | 'arrived'): string {
  const range =
    rate.n === 0
      ? 'no canary'
      : `${rate.k} of ${rate.n}, ${percent(rate.low)} to ${percent(rate.high)}`
  return `<div><dt>${what}</dt><dd><strong>${shareOf(rate)}</strong><span>${range}</span>${rateStrip(rate, kind)}</dd></div>`
}

function comparisonSection({ a, b, rates, times }: Comparison): string {
  const reach = Math.max(
    0.05,
    ...rates.flatMap(({ difference }) =>
      difference ? [Math.abs(difference.low), Math.abs(difference.high)] : [],
    ),
  )
  const rows = rates.map(rate => {
    const { provider, measure, difference, byDays, pairs, pAdjusted } = rate
    const range = byDays ?? difference
    const sure = pAdjusted < 0.05 && range !== undefined && (range.low > 0 || range.high < 0)
    return `<tr><th scope="row">${escaped(provider)}<br><small class="quiet">${measure === 'inbox' ? 'in the inbox' : 'arrived'}</small></th>
<td data-of="${escaped(a)}">${cell(rate.a)}</td><td data-of="${escaped(b)}">${cell(rate.b)}</td>
<td>${difference ? differenceStrip(difference.estimate, range ?? difference, reach, sure) : '–'}</td>
<td>${difference ? `${points(difference.estimate)} points<small>${range ? `${points(range.low)} to ${points(range.high)}` : ''}</small>` : '–'}</td>
<td>${pWords(pAdjusted)}<small>${pairs > 0 ? `${pairs} pairs` : 'no pairs'}</small></td></tr>`
  })
  const sentences = [...rates, ...times].map(
    ({ provider, sentence }) =>
      `<li><strong>${escaped(provider)}</strong>${escaped(sentence.slice(provider.length))}</li>`,
  )
  return `<section aria-labelledby="comparison">
<h2 id="comparison">${escaped(a)} against ${escaped(b)}</h2>
<p class="quiet">To the right of the dotted line ${escaped(a)} does better, to the left ${escaped(b)}. A red mark is a difference that chance does not explain.</p>
<div class="card"><div class="scroll"><table class="compare">
<thead><tr><th scope="col">provider</th><th scope="col">${escaped(a)}</th><th scope="col">${escaped(b)}</th><th scope="col">difference</th><th scope="col"></th><th scope="col">exact test</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table></div></div>
<ul class="sentences">${sentences.join('\n')}</ul>
</section>`
}

function cell(rate: Rate): string {
  if (rate.n === 0) return '–'
  return `${shareOf(rate)}<small>n = ${rate.n}, ${percent(rate.low)} to ${percent(rate.high)}</small>`
}

function seedSection({ seeds }: Summary): string {
  const rows = seeds.map(
    ({ seed, provider, arrived, inbox, counts }) =>
      `<tr><th scope="row">${escaped(seed)}</th><td>${escaped(provider)}</td><td>${cell(arrived)}</td><td>${cell(inbox)}</td><td>${counts.unknown}</td></tr>`,
  )
  return `<section aria-labelledby="seeds">
<h2 id="seeds">Seed accounts</h2>
<p class="quiet">One account that differs from the others of its provider tells of that account, not of the provider.</p>
<div class="card"><div class="scroll"><table>
<thead><tr><th scope="col">account</th><th scope="col">provider</th><th scope="col">arrived</th><th scope="col">in the inbox</th><th scope="col">unknown</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table></div></div>
</section>`
}

function presentIn({ routes }: Summary): readonly string[] {
  const counts = sumOf(routes)
  return Object.entries(counts).flatMap(([label, n]) => (n > 0 ? [label] : []))
}

function timesNote({ since, timesSince }: Summary): string {
  return timesSince > since
    ? ` Times are of the newest arrivals, since ${dayWords(timesSince)}.`
    : ''
}
