import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { expect, test } from 'vitest'

import { documents, readDocument, ROOT, type Document, type Piece } from './documents.ts'
import { faultOf } from './parsing.ts'
import { simpleCommands, wordsAfter } from './shell.ts'

/*
 * Nothing that a document tells people to type is unknown to the program: each command line goes through the real
 * parser, with actions that do nothing.
 */

const SCRIPTS = (
  JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object }
).scripts

/** What commander says of a command line that lacks something. */
const PARTIAL: ReadonlySet<string> = new Set([
  'commander.help',
  'commander.missingArgument',
  'commander.missingMandatoryOptionValue',
])

/** What is wrong with a command line of ours, '' where nothing is. */
async function fault(words: readonly string[], named: boolean): Promise<string> {
  const error = await faultOf(words)
  // In a sentence a command may be named, and not said with all it needs.
  const bare = words.every(word => /^[a-z][a-z-]*$/.test(word))
  return error === undefined || (named && bare && PARTIAL.has(error.code)) ? '' : error.message
}

/** Everything that is wrong with what a document says to type. */
async function faultsOf(document: Document): Promise<string[]> {
  const lines: (Piece & { readonly named: boolean })[] = [
    ...document.blocks
      .filter(({ language }) => language === 'sh')
      .map(block => ({ ...block, named: false })),
    ...document.spans
      .filter(({ text }) => /^(?:sudo )?(?:mailcanary|npm) /.test(text))
      .map(span => ({ ...span, named: true })),
  ]
  const faults: string[] = []
  for (const { text, at, named } of lines) {
    for (const command of simpleCommands(text)) {
      const ours = wordsAfter('mailcanary', command)
      const wrong = ours === undefined ? '' : await fault(ours, named)
      if (wrong !== '') faults.push(`${at} ${command.join(' ')}: ${wrong}`)
      const [run = '', script = ''] = wordsAfter('npm', command) ?? []
      if (run === 'run' && !(script in SCRIPTS)) faults.push(`${at} npm has no script ${script}`)
    }
  }
  return faults
}

test.each(documents())('$path names no command or option that there is not', async document => {
  expect(await faultsOf(document)).toEqual([])
})

test.each(documents())('$path has no shell that is not shell', async ({ blocks }) => {
  const faults: string[] = []
  for (const { language, text, at } of blocks) {
    if (language !== 'sh') continue
    const bash = promisify(execFile)('bash', ['-n', '-c', text])
    await bash.catch((error: { stderr: string }) => faults.push(`${at} ${error.stderr}`))
  }
  expect(faults).toEqual([])
})

test.each([
  ['`mailcanary queue lst`', "unknown command 'lst'"],
  ['`mailcanary queue hold --logn alice`', "unknown option '--logn'"],
  ['`mailcanary report --since`', 'argument missing'],
  ['`mailcanary backup here there`', 'too many arguments'],
  ['```sh\nsudo mailcanary trace\n```', "missing required argument 'id'"],
  ['```sh\ncd x && mailcanary check --lve | cat\n```', "unknown option '--lve'"],
  ['```sh\nkill "$(mailcanary who --nam)"\n```', "unknown option '--nam'"],
  ['```sh\nnpm run chek\n```', 'npm has no script chek'],
])('%s is noticed', async (text, words) => {
  expect((await faultsOf(readDocument('a.md', text))).join()).toContain(words)
})
