import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'

import { expect, test } from 'vitest'

import { documents, readDocument, ROOT, type Document } from './documents.ts'

/*
 * What a document refers to is there: links and their anchors, images, footnotes, and every path of the project.
 */

const FOLDERS = 'src|test|docs|scripts|dashboards|deploy|bin|\\.ci'
/** A path of the project in `code`; what is only a pattern of names is not one. */
const PATH = new RegExp(`(?:^|[\\s"'=(])((?:${FOLDERS})/[\\w./-]*[\\w/])(?![-\\w*{…])`, 'g')
/** Made by a build, and in no clone. */
const MADE = /^(?:out|dist)\//

function anchorsOf(path: string): ReadonlySet<string> {
  return readDocument(path, readFileSync(join(ROOT, path), 'utf8')).anchors
}

function faultOfLink(from: string, target: string): string {
  if (/^https:\/\/[^/\s]+\./.test(target)) return ''
  if (/^[a-z]+:/.test(target)) return 'is neither https nor of the project'
  const [name = '', anchor] = target.split('#')
  const path = name === '' ? from : posix.join(posix.dirname(from), name)
  if (!existsSync(join(ROOT, path))) return `leads to ${path}, which is not there`
  if (/\.(?:png|svg)$/.test(path) && statSync(join(ROOT, path)).size < 1_000) return 'is no picture'
  if (anchor !== undefined && !anchorsOf(path).has(anchor)) return `has no heading #${anchor}`
  return ''
}

/** Everything that a document names and that is not there. */
function faultsOf({ path, text, spans, links, blocks }: Document): string[] {
  const faults: string[] = []
  for (const { text: target, at } of links) {
    const fault = faultOfLink(path, target)
    if (fault !== '') faults.push(`${at} ${target} ${fault}`)
  }
  const shell = blocks.filter(({ language }) => language === 'sh')
  for (const { text: code, at } of [...spans, ...shell]) {
    for (const [, name = ''] of code.matchAll(PATH)) {
      if (!MADE.test(name) && !existsSync(join(ROOT, name)))
        faults.push(`${at} ${name} is not there`)
    }
  }
  const defined = new Set([...text.matchAll(/^\[\^(\w+)\]:/gm)].map(([, note]) => note))
  const used = new Set([...text.matchAll(/(?<!^)\[\^(\w+)\]/gm)].map(([, note]) => note))
  for (const note of used) if (!defined.has(note)) faults.push(`${path} no footnote ${note}`)
  for (const note of defined) if (!used.has(note)) faults.push(`${path} nobody says ${note}`)
  return faults
}

test.each(documents())('$path refers to what is there', document => {
  expect(faultsOf(document)).toEqual([])
})

test('README.md leads to every other document, and can be read in one go', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const silent = documents().filter(({ path }) => path !== 'README.md' && !readme.includes(path))
  expect(silent.map(({ path }) => path)).toEqual([])
  expect(readme.split('\n').length).toBeLessThan(150)
})

test('every picture is shown somewhere', () => {
  const shown = new Set(
    documents().flatMap(({ path, links }) =>
      links.map(({ text }) => posix.join(dirname(path), text)),
    ),
  )
  const pictures = readdirSync(join(ROOT, 'docs/images')).map(name => `docs/images/${name}`)
  expect(pictures.filter(path => !shown.has(path))).toEqual([])
})

test('every dependency has its reason', () => {
  const reasons = readFileSync(join(ROOT, 'docs/dependencies.md'), 'utf8')
  const { dependencies, optionalDependencies, devDependencies } = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  ) as Record<string, Record<string, string>>
  const rows = [...reasons.matchAll(/^\| ([^|]+) \| [^|]+ \| [^|]+ \| [^|]+ \|$/gm)]
    .flatMap(([, names = '']) => names.replace('(optional)', '').split(','))
    .map(name => name.trim())
  const atRunTime = Object.keys({ ...dependencies, ...optionalDependencies })
  expect(rows.filter(name => name !== 'package').toSorted()).toEqual(atRunTime.toSorted())
  const forBuilding = /^## For building and testing\n([^]*?)^## /m.exec(reasons)?.[1] ?? ''
  const unnamed = Object.keys(devDependencies ?? {}).filter(
    name => !name.startsWith('@types/') && !forBuilding.includes(name),
  )
  expect(unnamed).toEqual([])
})

test.each([
  ['[x](nothing.md)', 'docs/nothing.md, which is not there'],
  ['[x](operating.md#nothing)', 'no heading #nothing'],
  ['[x](#nothing)', 'no heading #nothing'],
  ['![x](images/nothing.png)', 'docs/images/nothing.png, which is not there'],
  ['[x](http://example.org/)', 'neither https'],
  ['`src/nothing.ts`', 'src/nothing.ts is not there'],
  ['```sh\nnode scripts/nothing.mjs\n```', 'scripts/nothing.mjs is not there'],
  ['word [^1]', 'no footnote 1'],
  ['[^1]: word', 'nobody says 1'],
])('%s is noticed', (text, words) => {
  expect(faultsOf(readDocument('docs/architecture.md', text)).join()).toContain(words)
})
