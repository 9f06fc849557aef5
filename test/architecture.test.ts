import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'

import { expect, test } from 'vitest'

/*
 * The direction of imports, as docs/architecture.md draws it. A layer may import itself and what is listed here.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  mail: ['base'],
  directory: ['base', 'mail'],
  relay: ['base', 'mail', 'directory'],
  probe: ['base', 'mail'],
  account: ['base', 'mail', 'directory', 'relay'],
  config: ['base', 'mail'],
  observe: ['base', 'mail', 'directory', 'relay', 'account', 'probe'],
  report: ['base', 'probe'],
  web: ['base', 'mail', 'directory', 'relay', 'account', 'probe', 'observe'],
  demo: ['base', 'mail'],
  // Only what is pure of the other two: what these programs load is a test of their own.
  ssh: ['base', 'mail', 'directory', 'relay'],
  app: ['base', 'mail', 'directory', 'relay', 'account', 'probe', 'config', 'observe', 'web'],
  'app.ts': [
    'app',
    'base',
    'mail',
    'directory',
    'relay',
    'account',
    'probe',
    'config',
    'observe',
    'web',
  ],
  cli: ['base', 'mail', 'config', 'app', 'app.ts', 'demo', 'probe', 'observe', 'report', 'ssh'],
  'main.ts': ['cli', 'ssh'],
}

/** Libraries that only one place may know, so that one place knows their faults. */
const ONLY_IN: Readonly<Record<string, RegExp>> = {
  'prom-client': /^observe\/metrics/,
  imapflow: /^probe\/imap/,
  ldapts: /^directory\/ldap/,
  ldapjs: /^demo\//,
  nodemailer: /^probe\/(?:sender|canary-message)/,
  pg: /^base\/postgres/,
  commander: /^cli\//,
  zod: /^(?:config|web)\//,
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.ts'))
    .map(entry => join(entry.parentPath, entry.name))
}

/** The modules a source names in import and export declarations, and in `import()`. */
export function importsOf(text: string): string[] {
  return [...text.matchAll(/(?:\bfrom\s+|\bimport\s*\(?\s*)'([^']+)'/g)].map(
    match => match[1] ?? '',
  )
}

/** The layer of a path below src/: its first folder, or the file itself. */
function layerOf(path: string): string {
  return path.split('/')[0] ?? path
}

/** What is wrong with the imports of one file. @param path below src/ */
export function breaches(path: string, text: string): string[] {
  const layer = layerOf(path)
  const found: string[] = []
  for (const name of importsOf(text)) {
    if (name.startsWith('.')) {
      const target = normalize(join(dirname(path), name))
      if (target.startsWith('..')) continue
      const other = layerOf(target)
      if (other !== layer && !(MAY_IMPORT[layer] ?? []).includes(other)) {
        found.push(`${path} imports ${target}: ${layer} may not know ${other}`)
      }
      continue
    }
    const library = name.startsWith('@') ? name : (name.split('/')[0] ?? name)
    const only = ONLY_IN[library]
    if (only !== undefined && !only.test(path)) {
      found.push(`${path} imports ${library}: that is the business of ${only.source}`)
    }
  }
  return found
}

const all = sources('src')
  .filter(path => !path.startsWith('src/web/browser'))
  .map(path => ({ path: relative('src', path), text: readFileSync(path, 'utf8') }))

test('imports go in the direction that the architecture draws', () => {
  expect(all.length).toBeGreaterThan(20)
  expect(all.flatMap(({ path, text }) => breaches(path, text))).toEqual([])
})

test('every layer of the source is one that the architecture knows', () => {
  expect(
    [...new Set(all.map(({ path }) => layerOf(path)))].filter(layer => !(layer in MAY_IMPORT)),
  ).toEqual([])
})

test('a breach is found when there is one', () => {
  expect(
    breaches('relay/queue/runner.ts', "import { judge } from '../../probe/verdict.ts'"),
  ).toEqual(['relay/queue/runner.ts imports probe/verdict.ts: relay may not know probe'])
  expect(breaches('mail/reply.ts', "const x = await import('../config/fields.ts')")).toHaveLength(1)
  expect(breaches('web/status.ts', "import { Registry } from 'prom-client'")).toHaveLength(1)
})
