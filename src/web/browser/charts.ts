import type { Chart, ChartConfiguration, ChartDataset } from 'chart.js'

import { el } from './dom.ts'
import { VERDICTS, type Status } from './status-data.ts'
import { many, took, VERDICT_WORDS } from './words.ts'

declare global {
  interface Window {
    readonly Chart: new (canvas: HTMLCanvasElement, configuration: ChartConfiguration) => Chart
  }
}

type Placement = Pick<Status, 'steps' | 'placement'>
type Arrival = Pick<Status, 'steps' | 'arrival'>

/** Draws the charts of the page, and redraws them in place: never a chart torn down while one looks at it. */
export class Charts {
  readonly #made = new Map<HTMLCanvasElement, Chart>()
  readonly #placement = new Map<string, HTMLElement>()

  /** Placement over time: a chart for every origin and provider that has any canary. */
  placement(into: HTMLElement, status: Placement, label: (at: number) => string): void {
    const used = status.placement.filter(series =>
      series.steps.some(step => VERDICTS.some(verdict => step[verdict] > 0)),
    )
    const figures = used.map(series => {
      const key = `${series.origin}\n${series.provider}`
      const figure = this.#placement.get(key) ?? figureOf(series.origin, series.provider)
      this.#placement.set(key, figure)
      const canvas = figure.querySelector('canvas')
      if (canvas) {
        const totals = VERDICTS.map(verdict => ({
          verdict,
          count: series.steps.reduce((sum, step) => sum + step[verdict], 0),
        })).filter(({ count }) => count > 0)
        const words = totals.map(({ verdict, count }) => `${count} ${VERDICT_WORDS[verdict]}`)
        canvas.setAttribute(
          'aria-label',
          `${series.origin} to ${series.provider} over time: ${words.join(', ')}`,
        )
      }
      return { figure, canvas, series }
    })
    const wanted = figures.map(({ figure }) => figure)
    if (wanted.some((figure, index) => into.children[index] !== figure)) {
      into.replaceChildren(...wanted)
    }
    for (const { canvas, series } of figures) {
      if (canvas) this.#draw(canvas, placementChart(status, series.steps, label))
    }
  }

  /** Arrival times: median and 90th percentile of every provider, on a logarithmic scale. */
  arrival(canvas: HTMLCanvasElement, status: Arrival, label: (at: number) => string): void {
    const words = status.arrival
      .filter(series => series.all.p50 !== undefined)
      .map(({ provider, all }) => `${provider} half within ${took(all.p50 ?? 0)}`)
    canvas.setAttribute('aria-label', `Arrival time over time: ${words.join(', ')}`)
    this.#draw(canvas, arrivalChart(status, label))
  }

  /** Colours come from the style sheet, so they follow light and dark; to be called when that changes. */
  forget(): void {
    for (const chart of this.#made.values()) chart.destroy()
    this.#made.clear()
  }

  #draw(canvas: HTMLCanvasElement, configuration: ChartConfiguration): void {
    const chart = this.#made.get(canvas)
    if (!chart) {
      this.#made.set(canvas, new window.Chart(canvas, configuration))
      return
    }
    chart.data = configuration.data
    chart.update('none')
  }
}

function figureOf(origin: string, provider: string): HTMLElement {
  return el(
    'figure',
    { class: 'chart' },
    el(
      'figcaption',
      {},
      el('strong', {}, provider),
      el('span', { class: 'quiet' }, ` from ${origin}`),
    ),
    el('div', { class: 'canvas' }, el('canvas', { role: 'img' })),
  )
}

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
}

function placementChart(
  status: Placement,
  steps: Status['placement'][number]['steps'],
  label: (at: number) => string,
): ChartConfiguration {
  const datasets: ChartDataset<'bar', number[]>[] = // The bad news on top of the good, where it is seen.
    VERDICTS.map(verdict => ({
      label: VERDICT_WORDS[verdict],
      data: steps.map(step => step[verdict]),
      backgroundColor: colour(verdict),
      borderColor: colour('surface'),
      borderWidth: { top: 1 },
      borderSkipped: false,
      barPercentage: 1,
      categoryPercentage: 0.86,
    }))
  const options = commonOptions()
  return {
    type: 'bar',
    data: { labels: status.steps.map(label), datasets },
    options: {
      ...options,
      scales: {
        x: { ...options.scales.x, stacked: true },
        y: {
          ...options.scales.y,
          stacked: true,
          beginAtZero: true,
          ticks: { ...options.scales.y.ticks, precision: 0, maxTicksLimit: 4 },
        },
      },
      plugins: {
        ...options.plugins,
        tooltip: {
          ...options.plugins.tooltip,
          filter: item => item.parsed.y !== 0,
          callbacks: {
            footer: items =>
              many(
                items.reduce((n, item) => n + (item.parsed.y ?? 0), 0),
                'canary',
                'canaries',
              ),
          },
        },
      },
    },
  }
}

// Dash, width and mark differ as well: lines are told apart without their colours.
const TIMES = [0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 600, 1_800, 3_600, 14_400, 43_200, 86_400]
const LEAST = 0.1
const MARKS = ['circle', 'rect', 'triangle', 'rectRot', 'star', 'cross'] as const

function arrivalChart(status: Arrival, label: (at: number) => string): ChartConfiguration {
  const datasets = status.arrival.flatMap((series, index) =>
    (['p50', 'p90'] as const).map((quantile): ChartDataset<'line', (number | null)[]> => ({
      label: `${series.provider}, ${quantile === 'p50' ? 'half' : '9 of 10'}`,
      data: series.steps.map(step => shownTime(step[quantile])),
      borderColor: colour(`line-${(index % 6) + 1}`),
      backgroundColor: colour(`line-${(index % 6) + 1}`),
      borderWidth: quantile === 'p50' ? 2 : 1.5,
      borderDash: quantile === 'p50' ? [] : [4, 4],
      pointStyle: MARKS[index % MARKS.length] ?? 'circle',
      pointRadius: quantile === 'p50' ? 3 : 0,
      pointHitRadius: 8,
      spanGaps: true,
      cubicInterpolationMode: 'monotone',
    })),
  )
  const options = commonOptions()
  return {
    type: 'line',
    data: { labels: status.steps.map(label), datasets },
    options: {
      ...options,
      scales: {
        x: options.scales.x,
        y: {
          ...options.scales.y,
          type: 'logarithmic',
          // Steps people count time in; those of a logarithm are none.
          afterBuildTicks: axis => {
            const within = TIMES.filter(time => time >= axis.min && time <= axis.max)
            axis.ticks = within.map(value => ({ value }))
          },
          ticks: { ...options.scales.y.ticks, callback: value => took(Number(value)) },
        },
      },
      plugins: {
        ...options.plugins,
        tooltip: {
          ...options.plugins.tooltip,
          callbacks: {
            label: item => `${item.dataset.label ?? ''}: ${took(item.parsed.y ?? 0)}`,
          },
        },
      },
    },
  }
}

/** A mailbox that knows whole seconds says 0, which a logarithm cannot show; nor is it a difference to anybody. */
function shownTime(seconds: number | undefined): number | null {
  return seconds === undefined ? null : Math.max(LEAST, seconds)
}

function commonOptions() {
  const font = { family: getComputedStyle(document.body).fontFamily, size: 12 }
  const ticks = { color: colour('quiet'), font, maxRotation: 0, autoSkipPadding: 16 }
  return {
    animation: false as const,
    responsive: true,
    maintainAspectRatio: false,
    interaction: { mode: 'index' as const, intersect: false },
    scales: {
      x: { grid: { display: false }, border: { color: colour('line') }, ticks },
      y: { grid: { color: colour('line') }, border: { display: false }, ticks },
    },
    plugins: {
      legend: { display: false },
      tooltip: {
        backgroundColor: colour('ink'),
        titleColor: colour('surface'),
        bodyColor: colour('surface'),
        footerColor: colour('surface'),
        titleFont: font,
        bodyFont: font,
        footerFont: font,
        padding: 10,
        cornerRadius: 6,
      },
    },
  }
}
