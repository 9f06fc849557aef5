import { z } from 'zod'

/** As much of JSON Schema as describes our files: it is what is walked, and what editors read. */
export interface JsonSchema {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | JsonSchema
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
}

/** A key's place in a schema, whatever the name or the number there is: `seeds.*.imap.host`, `probes.[].every`. */
export type SchemaPath = string

/** What may be written in a file of this shape (draft 7, since editors know no later one for YAML). */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    io: 'input',
    target: 'draft-7',
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema }) {
      const { def } = zodSchema._zod
      // Zod leaves out the default of what it converts, though ours are all written as in the file.
      if (def.type === 'default' && jsonSchema.default === undefined) {
        jsonSchema.default = def.defaultValue as never
      }
    },
  }) as JsonSchema
}

/** What stands below a key, where the schema knows the key. @returns also how the place is called */
export function childOf(
  schema: JsonSchema,
  key: string,
): { readonly schema: JsonSchema; readonly segment: string } | undefined {
  for (const one of [schema, ...(schema.anyOf ?? [])]) {
    const { properties, additionalProperties: any } = one
    const named =
      properties !== undefined && Object.hasOwn(properties, key) ? properties[key] : undefined
    if (named !== undefined) return { schema: named, segment: key }
    if (typeof any === 'object') return { schema: any, segment: '*' }
  }
  return undefined
}

/** What an item of a list is, where the schema has a list here. */
export function itemOf(schema: JsonSchema): JsonSchema | undefined {
  return schema.items ?? schema.anyOf?.find(({ items }) => items !== undefined)?.items
}

export function pathOf(parent: SchemaPath, segment: string): SchemaPath {
  return parent === '' ? segment : `${parent}.${segment}`
}
