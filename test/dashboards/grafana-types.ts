import { execFile } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

interface Panel {
  readonly type: string
  readonly options?: object
  readonly fieldConfig?: { readonly defaults: { readonly custom?: object } }
  readonly targets?: readonly object[]
}

/** Where Grafana keeps the types of a panel's own options. */
const PANELS: Readonly<Record<string, string>> = {
  heatmap: 'heatmap/panelcfg/x/HeatmapPanelCfg_types.gen',
  stat: 'stat/panelcfg/x/StatPanelCfg_types.gen',
  'state-timeline': 'statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen',
  table: 'table/panelcfg/x/TablePanelCfg_types.gen',
  text: 'text/panelcfg/x/TextPanelCfg_types.gen',
  timeseries: 'timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen',
}

/** Where it is compiled: below the project's folder, since the types are found from there. */
export const TYPES_FOLDER = join('test-output', `grafana-types-${process.pid}`)

/*
 * The words of an enumeration stand for themselves in JSON. A property that is not there is the default, which Grafana
 * fills in.
 */
const HEAD = `import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus'
import type { Dashboard } from '@grafana/schema'
type Json<T> = T extends string ? \`\${T}\` : T extends (infer E)[] ? Json<E>[] : T extends object ? { [K in keyof T]?: Json<T[K]> } : T
`

/**
 * Holds dashboards against the types that Grafana generates from its schema and publishes as @grafana/schema: of the
 * dashboard, and of the options and the field configuration of every panel; and queries against those of its builders,
 * which are generated from the schema of the Prometheus plugin.
 *
 * @param texts JSON by file name
 * @returns what the compiler objects to; '' if nothing
 */
export async function objectionsOfGrafana(texts: ReadonlyMap<string, string>): Promise<string> {
  const folder = TYPES_FOLDER
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  for (const [name, text] of texts) await writeFile(join(folder, `${name}.ts`), checks(text))
  const config = {
    extends: '../../tsconfig.json',
    compilerOptions: { module: 'esnext', moduleResolution: 'bundler', noEmit: true, types: [] },
    include: ['*.ts'],
  }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const run = promisify(execFile)
  return run('node_modules/.bin/tsc', ['-p', folder]).then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  )
}

function checks(text: string): string {
  const dashboard = JSON.parse(text) as {
    readonly panels: readonly Panel[]
    readonly annotations: { readonly list?: readonly Record<string, unknown>[] }
  }
  const queries: unknown[] = []
  for (const annotation of dashboard.annotations.list ?? []) {
    if (annotation['target'] !== undefined) queries.push(annotation['target'])
    // How the Prometheus plugin words an annotation; nobody publishes types of that.
    for (const key of ['titleFormat', 'textFormat', 'tagKeys', 'target']) delete annotation[key]
  }
  const { panels } = dashboard
  queries.push(...panels.flatMap(({ targets = [] }) => targets))
  const own = panels.flatMap(({ type, options, fieldConfig }, index) => {
    const file = PANELS[type]
    if (file === undefined) return []
    const from = `import('@grafana/schema/dist/esm/raw/composable/${file}')`
    const custom = fieldConfig?.defaults.custom
    return [
      ...(options
        ? [`export const o${index}: Json<${from}.Options> = ${JSON.stringify(options)}`]
        : []),
      ...(custom
        ? [`export const c${index}: Json<${from}.FieldConfig> = ${JSON.stringify(custom)}`]
        : []),
    ]
  })
  return `${HEAD}export const dashboard: Json<Dashboard> = ${JSON.stringify(dashboard)}
export const queries: Json<Dataquery>[] = ${JSON.stringify(queries)}
${own.join('\n')}
`
}
