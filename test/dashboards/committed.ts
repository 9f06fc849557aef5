import { readdirSync, readFileSync } from 'node:fs'

export interface Panel {
  readonly title: string
  readonly type: string
  readonly description?: string
  readonly gridPos: {
    readonly x: number
    readonly y: number
    readonly w: number
    readonly h: number
  }
  readonly targets?: readonly { readonly expr: string; readonly legendFormat?: string }[]
}

export interface Dashboard {
  readonly uid: string
  readonly title: string
  readonly tags: readonly string[]
  readonly links: readonly { readonly type: string; readonly tags: readonly string[] }[]
  readonly panels: readonly Panel[]
  readonly annotations: {
    readonly list?: readonly { readonly target?: { readonly expr: string } }[]
  }
  readonly templating: {
    readonly list?: readonly { readonly name: string; readonly query: unknown }[]
  }
}

/** The dashboards as they are committed, by file name. */
export const COMMITTED: ReadonlyMap<string, string> = new Map(
  readdirSync('dashboards')
    .filter(name => name.endsWith('.json'))
    .map(name => [name, readFileSync(`dashboards/${name}`, 'utf8')]),
)

export const DASHBOARDS: readonly Dashboard[] = [...COMMITTED.values()].map(
  text => JSON.parse(text) as Dashboard,
)

/** Panels that show something, so without the rows. */
export function panelsOf(dashboard: Dashboard): readonly Panel[] {
  return dashboard.panels.filter(panel => panel.type !== 'row')
}
