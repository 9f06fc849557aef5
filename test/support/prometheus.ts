import { chownSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { freePort } from './ports.ts'
import { asNobody, eventually, findProgram, ServerProcess } from './server-process.ts'

/** One series of an answer, with its value of now. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** An alert rule, as Prometheus has read it and evaluates it. */
export interface LoadedRule {
  readonly name: string
  readonly query: string
  readonly health: string
  readonly lastError?: string
}

export interface PrometheusClient {
  /** An instant query. Rejects with Prometheus' own words where it does not understand it. */
  query(expression: string): Promise<readonly Sample[]>
  /** Names of all metrics it has seen. */
  metricNames(): Promise<ReadonlySet<string>>
  rules(): Promise<readonly LoadedRule[]>
}

export interface PrometheusServer extends PrometheusClient {
  readonly origin: string
  stop(): Promise<void>
}

const EVERY_SECOND = { scrape_interval: '1s', evaluation_interval: '1s' }

/** A real Prometheus that scrapes one target every second. @param target `host:port`, with /metrics */
export function startPrometheus(folder: string, target: string): Promise<PrometheusServer> {
  return startPrometheusWith(folder, {
    scrape_configs: [{ job_name: 'mailcanary', static_configs: [{ targets: [target] }] }],
  })
}

/** A real Prometheus with a configuration, which scrapes every second. */
export async function startPrometheusWith(
  folder: string,
  configuration: object,
): Promise<PrometheusServer> {
  const port = await freePort()
  const data = join(folder, 'prometheus')
  const config = join(folder, 'prometheus.json')
  await mkdir(data, { recursive: true })
  if (process.getuid?.() === 0) chownSync(data, 65_534, 65_534)
  await writeFile(config, JSON.stringify({ global: EVERY_SECOND, ...configuration }))
  const origin = `http://127.0.0.1:${port}`
  const server = await ServerProcess.start({
    name: 'prometheus',
    command: asNobody([
      findProgram('prometheus') ?? 'prometheus',
      `--config.file=${config}`,
      `--storage.tsdb.path=${data}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]),
    log: join(folder, 'prometheus.log'),
    ready: async signal => {
      await eventually(
        async () => signal.aborted || (await fetch(`${origin}/-/ready`).catch(() => undefined))?.ok,
        'Prometheus is ready',
      )
    },
  })
  return { ...prometheusAt(origin), origin, stop: () => server.stop() }
}

/** One that runs already. @param origin `http://host:port` */
export function prometheusAt(origin: string): PrometheusClient {
  return {
    async query(expression) {
      const body = new URLSearchParams({ query: expression })
      const answer = await fetch(`${origin}/api/v1/query`, { method: 'POST', body })
      const { error, data } = (await answer.json()) as {
        error?: string
        data?: { result: { metric: Record<string, string>; value: [number, string] }[] }
      }
      if (!data) throw new Error(`${expression}: ${error ?? 'no answer'}`)
      return data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }))
    },
    async metricNames() {
      const answer = await fetch(`${origin}/api/v1/label/__name__/values`)
      return new Set(((await answer.json()) as { data: string[] }).data)
    },
    async rules() {
      const answer = await fetch(`${origin}/api/v1/rules?type=alert`)
      const { data } = (await answer.json()) as { data: { groups: { rules: LoadedRule[] }[] } }
      return data.groups.flatMap(group => group.rules)
    },
  }
}
