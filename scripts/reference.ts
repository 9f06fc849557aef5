// What is made from the schemas and the comments of the reference files: JSON Schemas for editors, docs/configuration.md.
// node scripts/reference.ts writes it (npm run generate), test/config/generated.test.ts compares it.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import {
  childOf,
  itemOf,
  jsonSchemaOf,
  pathOf,
  type JsonSchema,
  type SchemaPath,
} from '../src/config/json-schema.ts'
import { probesSchema } from '../src/config/probes-schema.ts'
import { parseReference, type Reference, type ReferenceEntry } from '../src/config/reference.ts'
import { relaySchema } from '../src/config/relay-schema.ts'

const ROOT = join(import.meta.dirname, '..')

interface File {
  readonly name: 'relay' | 'probes'
  readonly title: string
  readonly schema: JsonSchema
  readonly reference: Reference
}

function described(name: File['name'], title: string, schema: JsonSchema): File {
  const reference = parseReference(readFileSync(join(ROOT, `${name}.yaml`), 'utf8'), schema)
  return { name, title, schema, reference }
}

const FILES: readonly File[] = [
  described('relay', 'relay.yaml of mailcanary', jsonSchemaOf(relaySchema)),
  described('probes', 'probes.yaml of mailcanary', jsonSchemaOf(probesSchema)),
]

/** Every file that is made here, by its path in the project. */
export function generated(): ReadonlyMap<string, string> {
  return new Map([
    ...FILES.map(file => [`schemas/${file.name}.schema.json`, schemaText(file)] as const),
    ['docs/configuration.md', page()],
  ])
}

function schemaText({ title, schema, reference }: File): string {
  const { $schema, ...rest } = explained(schema, '', reference) as Record<string, unknown>
  return `${JSON.stringify({ $schema, title, ...rest }, undefined, 2)}\n`
}

/** The schema with what the reference file says of each key: editors show it beside the key. */
function explained(schema: JsonSchema, path: SchemaPath, reference: Reference): JsonSchema {
  const why = path === '' ? '' : sentenceOf(reference.get(path))
  const description = [why, schema.description ?? ''].filter(part => part !== '').join('\n\n')
  const { properties, additionalProperties: any, items, anyOf } = schema
  return {
    ...schema,
    ...(description !== '' && { description }),
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([key, inner]) => [
          key,
          explained(inner, pathOf(path, key), reference),
        ]),
      ),
    }),
    ...(typeof any === 'object' && {
      additionalProperties: explained(any, pathOf(path, '*'), reference),
    }),
    ...(items && { items: explained(items, pathOf(path, '[]'), reference) }),
    ...(anyOf && { anyOf: anyOf.map(one => explained(one, path, new Map())) }),
  }
}

function sentenceOf(entry: ReferenceEntry | undefined): string {
  if (entry === undefined) return ''
  return [entry.comment.join(' '), entry.note].filter(part => part !== '').join(' ')
}

function page(): string {
  const parts = FILES.flatMap(({ name, schema, reference }) => [
    `## ${name}.yaml`,
    ...inside(schema, '', reference).map(key => sectionOf(key, reference)),
  ])
  return `${[INTRODUCTION, ...parts].join('\n\n')}\n`
}

const INTRODUCTION = `# Configuration

Every key of both files: what may be written, what holds where nothing is written, and why. Made by \`npm run generate\` from the schemas that the program checks
a file with and from the comments of \`relay.yaml\` and \`probes.yaml\`, so it cannot say anything else than those; a test compares.

- \`mailcanary init\` writes both files by asking; \`mailcanary check\` says all that is wrong with them, with line and column.
- A line \`# yaml-language-server: $schema=…\` at the top names the JSON Schema (\`schemas/relay.schema.json\`, \`schemas/probes.schema.json\`; in the Debian package below
  \`/usr/lib/mailcanary/schemas/\`): editors that know it (VS Code with the YAML extension, Neovim, Emacs, Kate) complete keys and show these words.
- In a key below, \`*\` stands for a name of your own, \`[]\` for each item of a list. *needed* means that the file, or the section where it is written, does not do without.
- A secret is in none of the files: \`…_file\` names a file that holds it (mode 0600, or 0640 for the group of the service), \`…_env\` an environment variable.`

function sectionOf(key: Below, reference: Reference): string {
  const why = sentenceOf(reference.get(key.path))
  const table = [
    '| key | what | unless written | why |',
    '|---|---|---|---|',
    ...rowsOf(key, reference),
  ]
  return [`### ${key.path}`, ...(why === '' ? [] : [why]), table.join('\n')].join('\n\n')
}

/** A row for the key, and for all that is below it. The words of a whole section stand above its table. */
function rowsOf({ path, schema, required }: Below, reference: Reference): readonly string[] {
  const below = inside(schema, path, reference)
  const isTop = !path.includes('.')
  const unless = required ? '*needed*' : inCode(schema.default)
  const why = isTop ? '' : sentenceOf(reference.get(path))
  const own = [`\`${path}\``, kindOf(schema), unless, why].map(text => text.replaceAll('|', '\\|'))
  return [
    ...(isTop && below.length > 0 ? [] : [`| ${own.join(' | ')} |`]),
    ...below.flatMap(child => rowsOf(child, reference)),
  ]
}

interface Below {
  readonly path: SchemaPath
  readonly schema: JsonSchema
  readonly required: boolean
}

/** What is below a key, in the order of the reference file. */
function inside(schema: JsonSchema, path: SchemaPath, reference: Reference): readonly Below[] {
  const own = [schema, ...(schema.anyOf ?? [])].find(one => one.properties !== undefined)
  if (own !== undefined) {
    const order = [...reference.keys()]
    const place = (at: SchemaPath): number => (reference.has(at) ? order.indexOf(at) : Infinity)
    return Object.entries(own.properties ?? {})
      .map(([key, inner]) => ({
        path: pathOf(path, key),
        schema: inner,
        required: own.required?.includes(key) === true,
      }))
      .sort((a, b) => (place(a.path) < place(b.path) ? -1 : 1))
  }
  const item = itemOf(schema)
  if (item !== undefined) return inside(item, pathOf(path, '[]'), reference)
  const any = childOf(schema, '')
  return any === undefined
    ? []
    : [{ path: pathOf(path, any.segment), schema: any.schema, required: false }]
}

function kindOf(schema: JsonSchema): string {
  const { type, description, enum: words, minimum, maximum } = schema
  const item = itemOf(schema)
  if (words !== undefined) return words.map(one => `\`${String(one)}\``).join(', ')
  if (schema.anyOf !== undefined && item !== undefined) return 'one, or a list of them'
  if (item !== undefined) return item.type === 'object' ? 'a list' : `a list: ${kindOf(item)}`
  if (description !== undefined) return description
  if (schema.const !== undefined) return inCode(schema.const)
  if (schema.anyOf !== undefined) return schema.anyOf.map(kindOf).join(', or ')
  if (type === 'boolean') return '`true`, `false`'
  if (type === 'integer') return `${minimum} to ${maximum}`
  return type === 'object' ? (schema.properties ? 'a section' : 'by name') : ''
}

function inCode(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? '' : `\`[${value.join(', ')}]\``
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? `\`${value}\``
    : ''
}

if (import.meta.main) {
  for (const [path, text] of generated()) writeFileSync(join(ROOT, path), text)
}
