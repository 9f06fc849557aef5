import { setImmediate as nextTurn } from 'node:timers/promises'

import type { Registry } from 'prom-client'

interface Sample {
  readonly value: number
  readonly labels: object
  /** Of a histogram's parts, which are called otherwise than the whole. */
  readonly metricName?: string
}

// A millisecond or so of work; then whoever sends mail has a turn.
const LINES_IN_A_TURN = 4_000

/** What stands before the number of a series, and the labels it was made of. */
interface Head {
  readonly labels: object
  readonly text: string
}

/**
 * Writes a registry out in the text format of Prometheus (0.0.4).
 *
 * prom-client does too, and words the labels of every series anew each time: with 200 seeds that is where a scrape's time
 * goes. A series keeps its labels and its place, so they are put into words once.
 */
export class Exposition {
  readonly #registry: Registry
  /** By metric, in the order of its series. */
  readonly #heads = new Map<string, Head[]>()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  async text(): Promise<string> {
    const lines: string[] = []
    let turnEnds = LINES_IN_A_TURN
    for (const { name, help, type, values } of await this.#registry.getMetricsAsJSON()) {
      lines.push(`# HELP ${name} ${escaped(help)}`, `# TYPE ${name} ${type}`)
      this.#addSeries(lines, name, values)
      if (lines.length < turnEnds) continue
      await nextTurn()
      turnEnds = lines.length + LINES_IN_A_TURN
    }
    return `${lines.join('\n')}\n`
  }

  #addSeries(lines: string[], name: string, samples: readonly Sample[]): void {
    const heads = this.#heads.get(name) ?? []
    this.#heads.set(name, heads)
    heads.length = Math.min(heads.length, samples.length)
    for (const [index, sample] of samples.entries()) {
      let head = heads[index]
      if (head?.labels !== sample.labels) {
        head = { labels: sample.labels, text: headOf(name, sample) }
        heads[index] = head
      }
      lines.push(head.text + numberOf(sample.value))
    }
  }
}

function headOf(name: string, { labels, metricName = name }: Sample): string {
  const words = Object.entries(labels).map(
    ([label, value]) => `${label}="${quoted(String(value))}"`,
  )
  return words.length === 0 ? `${metricName} ` : `${metricName}{${words.join(',')}} `
}

function numberOf(value: number): string {
  if (value === Infinity) return '+Inf'
  if (value === -Infinity) return '-Inf'
  return String(value)
}

function quoted(value: string): string {
  return escaped(value).replaceAll('"', String.raw`\"`)
}

function escaped(text: string): string {
  if (!/[\\\n]/.test(text)) return text
  return text.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`)
}
