import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { AnswerBook } from '../../src/cli/init/answer-book.ts'
import { loadAnswers } from '../../src/config/answers.ts'
import { scratchFolder } from '../support/scratch.ts'

async function answers(text: string): Promise<string> {
  const path = join(await scratchFolder(), 'answers.yaml')
  await writeFile(path, text)
  return path
}

test('the example of the documentation is a file of answers', async () => {
  const page = readFileSync('docs/installation.md', 'utf8')
  const example = /```yaml\n(# answers\.yaml\n[^]*?)```/.exec(page)?.[1] ?? ''
  const loaded = await loadAnswers(await answers(example))
  expect(loaded.seeds).toHaveLength(2)
  expect(loaded.hostname).toBe('relay.example.org')
})

test('a secret in it is refused, with what to write instead; so is what nobody asks', async () => {
  const path = await answers('canary: {login: c, password: hush}\nhost: x\n')
  const problem = await loadAnswers(path).catch((error: unknown) => String(error))
  expect(problem).toMatch(/:1:20: canary\.password: a secret is never written here/)
  expect(problem).toMatch(/:2:1: host: unknown key/)
  expect(problem).not.toContain('hush')
})

test('what a book keeps can be loaded again, lists among it', async () => {
  const folder = await scratchFolder()
  const path = join(folder, 'kept.yaml')
  const book = new AnswerBook({ hostname: 'relay.example.org' }, path)
  await book.set('seeds.0.provider', 'gmail')
  await book.set('seeds.1.provider', 'yahoo')
  await book.set('directory.source', 'ldaps://ldap.example.org')
  const again = new AnswerBook(await loadAnswers(path))
  expect(again.count('seeds')).toBe(2)
  expect(again.get('seeds.1.provider')).toBe('yahoo')
  expect(again.get('directory.source')).toBe('ldaps://ldap.example.org')
  expect(again.get('hostname')).toBe('relay.example.org')
  expect(again.get('directory.base')).toBeUndefined()
})
