import { stringify } from 'yaml'

import { childOf, itemOf, pathOf, type JsonSchema, type SchemaPath } from './json-schema.ts'
import type { Reference } from './reference.ts'

/** What the comments of a file are taken from. */
export interface Commented {
  readonly schema: JsonSchema
  readonly reference: Reference
}

interface Place {
  readonly schema: JsonSchema
  readonly path: SchemaPath
  readonly indent: number
}

/**
 * A configuration as YAML, each key with what the reference file says of it, in that file's order. Whatever has a default
 * and is left away in the value is left away here.
 *
 * @param head lines of the comment at the top
 */
export function commentedYaml(
  value: Readonly<Record<string, unknown>>,
  { schema, reference }: Commented,
  head: readonly string[],
): string {
  const lines = linesOf(value, { schema, path: '', indent: 0 }, reference)
  return `${[...head.map(line => `# ${line}`.trimEnd()), ...lines].join('\n')}\n`
}

function linesOf(
  value: Readonly<Record<string, unknown>>,
  { schema, path, indent }: Place,
  reference: Reference,
): readonly string[] {
  const order = [...reference.keys()]
  const keys = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .map(([key, inner]) => {
      const child = childOf(schema, key) ?? { schema: {}, segment: key }
      return { key, inner, schema: child.schema, path: pathOf(path, child.segment) }
    })
    // Names of a person's own stay in their order: they have one place in the reference.
    .sort((a, b) => order.indexOf(a.path) - order.indexOf(b.path))
  const pad = ' '.repeat(indent)
  return keys.flatMap(({ key, inner, ...child }) => {
    // What is said beside an example of a name is about the example.
    const isName = child.path.endsWith('.*')
    const { comment = [], note = '' } = (isName ? undefined : reference.get(child.path)) ?? {}
    const below = { ...child, indent: indent + 2 }
    return [
      ...(indent === 0 ? [''] : []),
      ...comment.map(line => `${pad}# ${line}`),
      ...entryOf(
        `${pad}${yamlKey(key)}:`,
        inner,
        note === '' ? '' : `  # ${note}`,
        below,
        reference,
      ),
    ]
  })
}

function entryOf(
  key: string,
  value: unknown,
  note: string,
  place: Place,
  reference: Reference,
): readonly string[] {
  if (isSection(value)) {
    const inner = linesOf(value, place, reference)
    return inner.length === 0 ? [`${key} {}${note}`] : [`${key}${note}`, ...inner]
  }
  if (Array.isArray(value) && value.some(isSection)) {
    const item = {
      schema: itemOf(place.schema) ?? {},
      path: pathOf(place.path, '[]'),
      indent: place.indent + 2,
    }
    return [
      `${key}${note}`,
      ...value.filter(isSection).flatMap(one => listItem(one, item, reference)),
    ]
  }
  return [`${key} ${scalar(value)}${note}`]
}

/** The dash stands before the first key, below the comment of that key. */
function listItem(
  value: Readonly<Record<string, unknown>>,
  item: Place,
  reference: Reference,
): readonly string[] {
  const lines = [...linesOf(value, item, reference)]
  const first = lines.findIndex(line => !line.trim().startsWith('#'))
  const pad = ' '.repeat(item.indent - 2)
  return lines.map((line, i) => {
    if (i === first) return `${pad}- ${line.slice(item.indent)}`
    return i < first ? `${pad}${line.slice(item.indent)}` : line
  })
}

function isSection(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function yamlKey(key: string): string {
  return stringify(key, { lineWidth: 0 }).trim()
}

/** On one line. A text that YAML would take for something else is quoted. */
function scalar(value: unknown): string {
  return stringify(value, {
    lineWidth: 0,
    collectionStyle: 'flow',
    flowCollectionPadding: false,
  }).trim()
}
