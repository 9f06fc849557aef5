import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'
import { parse } from 'yaml'

import { documents, isForPrometheus, readDocument, ROOT, type Document } from './documents.ts'
import { hasKeys, hasPath, SCHEMAS, SECTIONS } from './schema-keys.ts'

/*
 * Every piece of configuration in a document is taken by what it is for. What is ours is put into the shipped file, for a
 * document shows the part that it is about.
 */

/** Keys of theirs in a sentence. */
const NOT_OURS = /^(?:authorization|external_labels|area): /
/** Names of files and hosts look like a key of the configuration. */
const FILE_OR_HOST = /\.(?:sqlite|json|keys?|token|id|sock|ya?ml|ts|example|org|net)$/

/** These follow every block of theirs with a server, tests of their own. */
const FOLLOWED: ReadonlySet<string> = new Set(['docs/clients.md', 'docs/directory.md'])
/** What each of is read by something; `text` is for eyes only: a drawing, an answer. */
const LANGUAGES: ReadonlySet<string> = new Set('sh yaml promql puppet nginx slapd text'.split(' '))

const ANSWERS = 'answers.yaml'

type Tree = Readonly<Record<string, unknown>>

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** One configuration with parts of another put in. */
function merged(whole: Tree, part: Tree): Tree {
  const both = Object.entries(part).map(([key, value]) => {
    const before = whole[key]
    return [key, isTree(before) && isTree(value) ? merged(before, value) : value] as const
  })
  return { ...whole, ...Object.fromEntries(both) }
}

/** What is wrong with a block for one of our files, '' where nothing is. */
function faultIn(file: string, part: Tree): string {
  // Answers are no part of anything: what is shown is the whole file.
  const whole = file === ANSWERS ? {} : (parse(readFileSync(join(ROOT, file), 'utf8')) as Tree)
  const read = SCHEMAS[file]?.safeParse(merged(whole, part))
  const issues = read?.error?.issues ?? []
  return issues.map(({ path, message }) => `${file} ${path.join('.')}: ${message}`).join('; ')
}

/** Everything that is wrong with the configuration a document shows. */
function faultsOf({ path, blocks, spans, unfenced }: Document): string[] {
  const faults = unfenced.map(({ at }) => `${at} code without a fence`)
  for (const block of blocks) {
    const { language, text, at } = block
    if (!LANGUAGES.has(language) && !FOLLOWED.has(path)) {
      faults.push(`${at} a block of what? ${language}`)
    }
    if (language !== 'yaml' || isForPrometheus(block)) continue
    const part = parse(text) as Tree
    const keys = Object.keys(part)
    const files = Object.entries(SCHEMAS).filter(
      ([file, { shape }]) =>
        (file === ANSWERS) === text.startsWith(`# ${ANSWERS}`) && keys.every(key => key in shape),
    )
    if (files.length === 0) faults.push(`${at} is for none of our files: ${keys.join(', ')}`)
    for (const [file] of files) {
      const fault = faultIn(file, part)
      if (fault !== '') faults.push(`${at} ${fault}`)
    }
  }
  for (const { text, at } of spans) {
    if (/^[a-z]\w*(?:\.[a-z]\w*)+$/.test(text) && !FILE_OR_HOST.test(text)) {
      const keys = text.split('.')
      if (SECTIONS.has(keys[0] ?? '') && !hasPath(keys)) faults.push(`${at} no key ${text}`)
    }
    if (/^[a-z_]+: [{[\w]/.test(text) && !NOT_OURS.test(text) && !hasKeys(parse(text))) {
      faults.push(`${at} no keys ${text}`)
    }
  }
  return faults
}

test.each(documents())('$path shows no configuration that would not be taken', document => {
  expect(faultsOf(document)).toEqual([])
})

test.each([
  ['`delivery.give_up`', 'no key delivery.give_up'],
  ['`oauth: {clients: {gmail: {client: …}}}`', 'no keys'],
  ['```yaml\nlimits: {message_sise: 1MiB}\n```', 'message_sise'],
  ['```yaml\nlimits: {message_size: much}\n```', 'limits.message_size'],
  ['```yaml\nadmin: {lsten: 1}\n```', 'probes.yaml admin'],
  ['```yaml\nrelay: {}\n```', 'none of our files'],
  ['```\nwhat\n```', 'a block of what?'],
  ['Type:\n\n    what', 'code without a fence'],
])('%s is noticed', (text, words) => {
  expect(faultsOf(readDocument('a.md', text)).join()).toContain(words)
})
