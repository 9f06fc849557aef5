import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'

import { describe, expect, it } from 'vitest'

import { dashboardTexts } from '../../dashboards/build.ts'
import { playbook } from '../../dashboards/playbook.ts'
import { COMMITTED, DASHBOARDS, panelsOf } from './committed.ts'
import { objectionsOfGrafana, TYPES_FOLDER } from './grafana-types.ts'

const graphs = DASHBOARDS.filter(({ uid }) => uid !== 'mailcanary-playbook')

describe('the dashboards', () => {
  it('are committed as they are built: npm run generate', () => {
    expect(COMMITTED).toEqual(dashboardTexts())
  })

  it('are what Grafana knows: every option of every panel', async () => {
    expect(await objectionsOfGrafana(COMMITTED)).toBe('')
    const wrong = (COMMITTED.get('delivery.json') ?? '')
      .replace('"lineWidth"', '"lineWidht"')
      .replace('"graphTooltip": 1', '"graphTooltip": 7')
      .replace('"legendFormat"', '"legendFromat"')
    const said = await objectionsOfGrafana(new Map([['wrong.json', wrong]]))
    expect(said).toContain('lineWidht')
    expect(said).toContain("'7'")
    expect(said).toContain('legendFromat')
    await rm(TYPES_FOLDER, { recursive: true })
  })

  it('link to each other, and to the playbook', () => {
    expect(DASHBOARDS.map(({ uid }) => uid)).toEqual([
      'mailcanary-delivery',
      'mailcanary-playbook',
      'mailcanary-relay',
      'mailcanary-seeds',
    ])
    for (const { tags, links } of DASHBOARDS) {
      expect(links).toMatchObject([{ type: 'dashboards', tags }])
    }
  })

  it('let origin, provider and seed be picked', () => {
    const variables = graphs.map(({ uid, templating }) => [
      uid,
      (templating.list ?? []).map(({ name }) => name),
    ])
    expect(Object.fromEntries(variables)).toEqual({
      'mailcanary-delivery': ['datasource', 'origin', 'provider'],
      'mailcanary-relay': ['datasource', 'provider'],
      'mailcanary-seeds': ['datasource', 'provider', 'seed'],
    })
  })
})

describe('the metrics', () => {
  it('are all to be seen on a dashboard', () => {
    const all = [...COMMITTED.values()].join('')
    const reference = readFileSync('docs/metrics.md', 'utf8')
    const names = [...reference.matchAll(/^### (mailcanary_\w+)$/gm)].map(([, name = '']) => name)
    expect(names.length).toBeGreaterThan(40)
    expect(
      names.filter(name => !new RegExp(`${name}(?![a-z]|_(?!bucket|count))`).test(all)),
    ).toEqual([])
  })
})

describe.each(DASHBOARDS)('$title', dashboard => {
  const panels = panelsOf(dashboard)
  const queries = panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ title, expr })),
  )

  it('has panels that do not overlap and stay within the grid', () => {
    const taken = new Set<string>()
    for (const { title, gridPos } of dashboard.panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x} ${y}`), title).toBe(false)
          taken.add(`${x} ${y}`)
        }
      }
    }
  })

  it('says on every panel what is to be seen, and in which unit', () => {
    for (const panel of panels) {
      expect(panel.description, panel.title).toMatch(/\.$/)
      if (panel.type !== 'text') expect(JSON.stringify(panel), panel.title).toMatch(/"unit"/)
    }
  })

  it('shows no share without the number it is of', () => {
    for (const { title, targets = [] } of panels) {
      if (!targets.some(({ expr }) => expr.includes(' / '))) continue
      expect(targets.map(({ legendFormat }) => legendFormat).join(), title).toContain('(n)')
    }
  })

  it('keeps unknown out of every denominator', () => {
    for (const { title, expr } of queries) {
      const [, denominator] = expr.split(' / ')
      if (denominator?.includes('mailcanary_canaries_total') === true) {
        expect(denominator, title).toContain('verdict!="unknown"')
      }
    }
  })
})

describe('the playbook in Grafana', () => {
  it('has the words of docs/operating.md, a panel for each alert', () => {
    const shown = DASHBOARDS.find(({ uid }) => uid === 'mailcanary-playbook')
    expect(shown?.panels.map(({ title }) => title)).toEqual(playbook().map(({ alert }) => alert))
    expect(shown?.panels.length).toBeGreaterThan(20)
  })
})
