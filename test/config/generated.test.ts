import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

import { describe, expect, test } from 'vitest'

import { generated } from '../../scripts/reference.ts'
import { parseReference } from '../../src/config/reference.ts'
import { missing } from '../support/server-process.ts'

test.each([...generated()])(
  '%s is what the schemas and the reference files say: npm run generate',
  (path, text) => {
    expect(readFileSync(path, 'utf8')).toBe(text)
  },
)

test('every key of both schemas is told with what it may be, and none is there twice', () => {
  const page = readFileSync('docs/configuration.md', 'utf8')
  for (const part of page.split('\n## ').slice(1)) {
    const rows = part.split('\n').filter(line => line.startsWith('| `'))
    const keys = rows.map(row => row.split(' | ')[0])
    expect(keys.length).toBeGreaterThan(50)
    expect(new Set(keys).size).toBe(keys.length)
    expect(rows.filter(row => (row.split(' | ')[1] ?? '').trim() === '')).toEqual([])
    expect(page).not.toContain('| , ')
  }
})

test('what belongs together is commented once: sentences with colons are no keys, keys that are commented out are', () => {
  const schema = {
    properties: {
      tls: { type: 'string' },
      web: { properties: { listen: {}, proxies: { items: {} } } },
      lists: { items: { properties: { name: {}, way: {} } } },
      logins: { additionalProperties: { properties: { limit: {} } } },
    },
  }
  const text = `# About the file: nothing.

# CHANGE: how mail goes.
# none: in clear.
tls: none  # or all
# web:                      # a page
#   listen: 0.0.0.0:443
#   # Those in front.
#   proxies: []
lists: []
  # - name: one             # its name
  #   way: out
logins: {}
  # # Of the prober.
  # canary:
  #   limit: 5
`
  expect([...parseReference(text, schema)]).toEqual([
    ['tls', { comment: ['How mail goes.', 'none: in clear.'], note: 'or all' }],
    ['web', { comment: [], note: 'a page' }],
    ['web.listen', { comment: [], note: '' }],
    ['web.proxies', { comment: ['Those in front.'], note: '' }],
    ['lists', { comment: [], note: '' }],
    ['lists.[].name', { comment: [], note: 'its name' }],
    ['lists.[].way', { comment: [], note: '' }],
    ['logins', { comment: [], note: '' }],
    ['logins.*', { comment: ['Of the prober.'], note: '' }],
    ['logins.*.limit', { comment: [], note: '' }],
  ])
})

/** What Python's jsonschema finds wrong with a document, as an editor would. */
const JUDGE = `
import json, sys, yaml, jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft7Validator.check_schema(schema)
for error in jsonschema.Draft7Validator(schema).iter_errors(yaml.safe_load(sys.stdin)):
    print('.'.join(map(str, error.path)), error.message)
`

function judged(name: string, yaml: string): string {
  return execFileSync('python3', ['-c', JUDGE, `schemas/${name}.schema.json`], {
    input: yaml,
    encoding: 'utf8',
  }).trim()
}

describe.skipIf(missing('python3'))('a JSON Schema, as an editor takes it', () => {
  test.each(['relay', 'probes'])('has nothing against the shipped %s.yaml', name => {
    expect(judged(name, readFileSync(`${name}.yaml`, 'utf8'))).toBe('')
  })

  test('finds wrong keys, wrong durations, wrong limits', () => {
    const relay = readFileSync('relay.yaml', 'utf8')
    expect(judged('relay', relay.replace('hostname:', 'host_name:'))).toMatch(
      /'host_name' was unexp/,
    )
    expect(judged('relay', relay.replace('sync_every: 1m', 'sync_every: 60'))).toMatch(/sync_every/)
    expect(
      judged('relay', relay.replace('messages_per_day: 500', 'messages_per_day: lots')),
    ).toMatch(/messages_per_day/)
  })
})
