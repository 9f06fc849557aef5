import { expect, test } from 'vitest'
import { parse } from 'yaml'

import { commentedYaml } from '../../src/config/commented-yaml.ts'
import type { JsonSchema } from '../../src/config/json-schema.ts'
import { parseReference } from '../../src/config/reference.ts'
import { configurationText } from '../../src/config/set-up.ts'

const SCHEMA: JsonSchema = {
  properties: {
    name: {},
    lists: { items: { properties: { name: {}, every: {} } } },
    seeds: { additionalProperties: { properties: { host: {}, words: { items: {} } } } },
  },
}
const REFERENCE = `
# CHANGE: who we are.
name: x

# What is done.
lists:
  # How it is called.
  - name: a
    every: 1m  # or never

seeds:
  # hotmail-1:       # an example
  first:
    # Where it is.
    host: y
    words: [a]
`

test('a value is written with the comments of the reference file, in its order', () => {
  const value = {
    seeds: { mine: { words: ['a, b', '#c', 'yes', '5'], host: 'h: #i' } },
    lists: [{ every: '5m', name: 'one' }, { name: 'two' }],
    name: 'who',
    unknown: { a: 1 },
    left: undefined,
  }
  const reference = parseReference(REFERENCE, SCHEMA)
  const text = commentedYaml(value, { schema: SCHEMA, reference }, ['the top'])
  expect(text).toBe(`# the top

unknown:
  a: 1

# Who we are.
name: who

# What is done.
lists:
  # How it is called.
  - name: one
    every: 5m  # or never
  # How it is called.
  - name: two

seeds:
  mine:
    # Where it is.
    host: "h: #i"
    words: ["a, b", "#c", yes, "5"]
`)
  const { left, ...rest } = value
  expect(left).toBeUndefined()
  expect(parse(text)).toEqual(rest)
})

test('what init writes is in the words of the shipped files, and names the schema of the installation', () => {
  const text = configurationText('relay', {
    hostname: 'relay.example.org',
    limits: { recipients: 7 },
  })
  expect(text).toMatch(/^# yaml-language-server: \$schema=\/.*\/schemas\/relay\.schema\.json$/m)
  expect(text).toContain(
    'limits:\n  # Of one message; RFC 5321 section 4.5.3.1.8 wants at least 100.\n  recipients: 7\n',
  )
})
