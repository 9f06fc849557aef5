import { z } from 'zod'

import { answersSchema } from '../../src/config/answers.ts'
import { probesSchema } from '../../src/config/probes-schema.ts'
import { relaySchema } from '../../src/config/relay-schema.ts'

/** A JSON Schema, as far as it says which keys there are. */
interface Node {
  readonly properties?: Readonly<Record<string, Node>>
  readonly additionalProperties?: Node | boolean
  readonly items?: Node
  readonly anyOf?: readonly Node[]
}

/** The files that people write, by name. */
export const SCHEMAS: Readonly<Record<string, z.ZodObject>> = {
  'relay.yaml': relaySchema,
  'probes.yaml': probesSchema,
  'answers.yaml': answersSchema,
}

const NODES: readonly Node[] = Object.values(SCHEMAS).map(
  schema => z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Node,
)

/** The keys at the top of any of them. */
export const SECTIONS: ReadonlySet<string> = new Set(
  NODES.flatMap(({ properties = {} }) => Object.keys(properties)),
)

/** What stands below a key; nothing where there is no such key. */
function below(node: Node, key: string): readonly Node[] {
  const { properties = {}, additionalProperties, anyOf = [] } = node
  const own = Object.hasOwn(properties, key) ? properties[key] : undefined
  return [
    ...(own === undefined ? [] : [own]),
    ...(typeof additionalProperties === 'object' ? [additionalProperties] : []),
    ...anyOf.flatMap(choice => below(choice, key)),
    ...(node.items === undefined ? [] : below(node.items, key)),
  ]
}

/** Whether either file has a key of this path: `['delivery', 'give_up_after']`. */
export function hasPath(path: readonly string[]): boolean {
  let found = NODES
  for (const key of path) found = found.flatMap(node => below(node, key))
  return found.length > 0
}

/** Whether these keys, with those inside, stand together anywhere in either file. Values are not looked at. */
export function hasKeys(value: unknown): boolean {
  return everywhere(NODES).some(node => takes(node, value))
}

function everywhere(nodes: readonly Node[]): readonly Node[] {
  return nodes.flatMap(node => [
    node,
    ...everywhere([
      ...Object.values(node.properties ?? {}),
      ...(typeof node.additionalProperties === 'object' ? [node.additionalProperties] : []),
      ...(node.items === undefined ? [] : [node.items]),
      ...(node.anyOf ?? []),
    ]),
  ])
}

function takes(node: Node, value: unknown): boolean {
  if (Array.isArray(value)) {
    return value.every(item => node.items !== undefined && takes(node.items, item))
  }
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([key, inner]) =>
    below(node, key).some(next => takes(next, inner)),
  )
}
