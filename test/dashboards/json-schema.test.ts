import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'

import { COMMITTED } from './committed.ts'

/*
 * Grafana publishes its JSON Schemas in no package, and they are not ours to keep: whoever has a clone of
 * github.com/grafana/grafana-foundation-sdk names its folder `jsonschema`.
 */
const FOLDER = process.env['MAILCANARY_GRAFANA_SCHEMAS'] ?? ''

interface Part {
  /** File and definition of the schema. */
  readonly schema: readonly [file: string, definition: string]
  readonly at: string
  readonly data: unknown
}

interface Panel {
  readonly type: string
  readonly title: string
  readonly options?: unknown
  readonly fieldConfig?: { readonly defaults: { readonly custom?: unknown } }
  readonly targets?: readonly unknown[]
}

/** What of a dashboard a schema of its own is for: the whole, queries, options and field configuration of each panel. */
function partsOf(text: string): Part[] {
  const dashboard = JSON.parse(text) as { readonly panels: readonly Panel[] }
  const panels = dashboard.panels.filter(({ type }) => type !== 'row')
  return [
    { schema: ['dashboard', 'Dashboard'], at: 'dashboard', data: dashboard },
    ...panels.flatMap(({ type, title, options, fieldConfig, targets = [] }): Part[] => {
      const file = type.replaceAll('-', '')
      const custom = fieldConfig?.defaults.custom
      return [
        ...targets.map((data): Part => ({
          schema: ['prometheus', 'Dataquery'],
          at: `query of ${title}`,
          data,
        })),
        ...(options === undefined
          ? []
          : [{ schema: [file, 'Options'], at: `options of ${title}`, data: options } as const]),
        ...(custom === undefined
          ? []
          : [{ schema: [file, 'FieldConfig'], at: `fields of ${title}`, data: custom } as const]),
      ]
    }),
  ]
}

/** Their `any` is written as an object with anything in it. */
function withAny(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withAny)
  if (schema === null || typeof schema !== 'object') return schema
  const { type, additionalProperties, ...rest } = schema as Record<string, unknown>
  const any = type === 'object' && JSON.stringify(additionalProperties) === '{}'
  if (any && rest['properties'] === undefined) return {}
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, withAny(value)]))
}

function objections(folder: string, parts: readonly Part[]): string[] {
  const ajv = new Ajv({ allErrors: true, strict: false, validateFormats: false })
  return parts.flatMap(({ schema: [file, definition], at, data }) => {
    const key = `${file}.jsonschema.json`
    if (ajv.getSchema(key) === undefined) {
      const read = JSON.parse(readFileSync(join(folder, key), 'utf8')) as object
      ajv.addSchema(withAny(read) as object, key)
    }
    const validate = ajv.getSchema(`${key}#/definitions/${definition}`)
    if (validate === undefined) return [`${at}: no schema ${definition} in ${key}`]
    if (validate(data) === true) return []
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) =>
        `${at}: ${instancePath} ${message} ${JSON.stringify(params)}`,
    )
  })
}

describe("Grafana's JSON Schemas", () => {
  it.each([...COMMITTED])('have nothing against %s', (_, text) => {
    expect(objections(FOLDER, partsOf(text))).toEqual([])
  })

  it('do object to what is wrong', () => {
    const wrong = (COMMITTED.get('delivery.json') ?? '')
      .replace('"graphTooltip": 1', '"graphTooltip": "1"')
      .replaceAll('"legendFormat"', '"legendFromat"')
      .replaceAll('"lineWidth"', '"lineWidht"')
    const said = objections(FOLDER, partsOf(wrong)).join('\n')
    for (const word of ['graphTooltip', 'legendFromat', 'lineWidht']) expect(said).toContain(word)
  })
})
