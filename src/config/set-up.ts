import { readFileSync } from 'node:fs'

import { Problem } from '../base/problem.ts'
import { commentedYaml, type Commented } from './commented-yaml.ts'
import { jsonSchemaOf } from './json-schema.ts'
import { probesSchema } from './probes-schema.ts'
import { parseReference } from './reference.ts'
import { relaySchema } from './relay-schema.ts'

/** Where the program was installed: the reference files and their schemas lie beside it. */
const ROOT = new URL('../../', import.meta.url)

const SCHEMAS = { relay: relaySchema, probes: probesSchema }

/** The text of a configuration file with the comments of the reference file that is installed with the program. */
export function configurationText(
  name: keyof typeof SCHEMAS,
  value: Readonly<Record<string, unknown>>,
): string {
  return commentedYaml(value, commentsOf(name), [
    `yaml-language-server: $schema=${new URL(`schemas/${name}.schema.json`, ROOT).pathname}`,
    `Written by mailcanary init. What is not here has its default: docs/configuration.md tells every key.`,
    `After a change:  mailcanary check --live`,
  ])
}

function commentsOf(name: keyof typeof SCHEMAS): Commented {
  const path = new URL(`${name}.yaml`, ROOT)
  const schema = jsonSchemaOf(SCHEMAS[name])
  try {
    return { schema, reference: parseReference(readFileSync(path, 'utf8'), schema) }
  } catch {
    throw new Problem(`${path.pathname} is missing: mailcanary is not installed whole`)
  }
}
