import { existsSync, readFileSync } from 'node:fs'

import { expect, test } from 'vitest'
import { parse } from 'yaml'

interface Compose {
  readonly services: Readonly<Record<string, { readonly volumes: readonly string[] }>>
  readonly volumes: Readonly<Record<string, null>>
}

test.each(['compose.yaml', 'compose.monitoring.yaml'])(
  '%s can be read, and no two services share a folder that is written to',
  name => {
    const compose = parse(readFileSync(name, 'utf8'), { merge: true }) as Compose
    const written = Object.values(compose.services)
      .flatMap(({ volumes }) => volumes)
      .filter(volume => !volume.endsWith(':ro'))
      .map(volume => volume.split(':')[0] ?? '')
    expect(written.toSorted()).toEqual(Object.keys(compose.volumes).toSorted())
  },
)

test('compose.monitoring.yaml gives its services files that there are', () => {
  const compose = parse(readFileSync('compose.monitoring.yaml', 'utf8')) as Compose
  const given = Object.values(compose.services)
    .flatMap(({ volumes }) => volumes)
    .filter(volume => volume.startsWith('./'))
  expect(given.length).toBeGreaterThan(3)
  for (const volume of given) expect(existsSync(volume.split(':')[0] ?? '')).toBe(true)
})
