import { readFileSync } from 'node:fs'

import { expect, test } from 'vitest'

import { keptVersions, PARTS, type Kind } from './schemas/stored.ts'

/** What the changelog says of one version. */
function sectionOf(version: string): string {
  const text = readFileSync('CHANGELOG.md', 'utf8')
  const sections = text.split(/^## /m).slice(1)
  return sections.find(section => section.split(/[ \n]/, 1)[0] === version) ?? ''
}

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }

test('the changelog has the version of the package, with upgrade notes', () => {
  expect(sectionOf(version)).toMatch(/^### Upgrade notes\n\n\S/m)
})

test('the upgrade notes name the schemas that this version brings databases to', () => {
  const newest = (kind: Kind): (number | undefined)[] =>
    PARTS.map(part => keptVersions(part, kind).at(-1))
  const [queue, history, account] = newest('sqlite')
  expect(sectionOf(version)).toContain(
    `queue schema ${queue}, history ${history}, application passwords ${account} (in PostgreSQL ${newest('postgres').join(', ')})`,
  )
})
