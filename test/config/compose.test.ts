import { readFileSync } from 'node:fs'

import { expect, test } from 'vitest'
import { parse } from 'yaml'

interface Compose {
  readonly services: Readonly<Record<string, { readonly volumes: readonly string[] }>>
  readonly volumes: Readonly<Record<string, null>>
}

test('compose.yaml can be read, and no two services share a folder that is written to', () => {
  const compose = parse(readFileSync('compose.yaml', 'utf8'), { merge: true }) as Compose
  const written = Object.values(compose.services)
    .flatMap(({ volumes }) => volumes)
    .filter(volume => !volume.endsWith(':ro'))
    .map(volume => volume.split(':')[0] ?? '')
  expect(written.toSorted()).toEqual(Object.keys(compose.volumes).toSorted())
})
