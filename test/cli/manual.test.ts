import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

import { describe, expect, test } from 'vitest'

import { MANUAL, manual } from '../../scripts/manual.ts'
import { allNodes, commandTree } from '../../src/cli/command-tree.ts'
import { createProgram } from '../../src/cli/command.ts'
import { missing } from '../support/server-process.ts'

const nodes = allNodes(commandTree(await createProgram('0.0.0')))

test('every command says what it does, how it ends, and shows an example', () => {
  const leaves = nodes.filter(({ below, options }) => below.length === 0 || options.length > 0)
  expect(leaves.length).toBeGreaterThan(20)
  for (const { path, description, notes } of leaves) {
    const name = path.join(' ')
    expect(description, name).toMatch(/^[A-Z].*\.$/s)
    expect(notes, name).toMatch(/^Exit code\b/m)
    expect(notes, name).toMatch(/^Examples?\b/m)
  }
})

test('every option and parameter says what it is', () => {
  for (const { path, options } of nodes) {
    for (const { flags, description } of options) {
      expect(description, [...path, ...flags].join(' ')).not.toBe('')
    }
  }
})

test('the manual page is what the commands say of themselves: npm run generate', async () => {
  expect(readFileSync(MANUAL, 'utf8')).toBe(await manual())
})

describe.skipIf(missing('mandoc', 'groff', 'man'))('the manual page', () => {
  test('has nothing that man, groff or mandoc would warn of', () => {
    const judge = (command: string): string =>
      execFileSync('sh', ['-c', `${command} 2>&1 >/dev/null`, MANUAL], { encoding: 'utf8' })
    expect(judge('LC_ALL=C.UTF-8 MANROFFSEQ= man --warnings -l "$0"')).toBe('')
    expect(judge('groff -man -ww -z "$0"')).toBe('')
    // A date would be out of date: the page is made anew whenever a command changes.
    expect(judge('mandoc -T lint -W warning "$0" | grep -v "missing date" >&2 || :')).toBe('')
  })

  test('shows every command with all of its options', () => {
    const shown = execFileSync('mandoc', ['-T', 'ascii', '-O', 'width=200', MANUAL], {
      encoding: 'utf8',
    }).replaceAll(/.\u0008/g, '')
    for (const { path, options } of nodes) {
      expect(shown).toContain(['mailcanary', ...path].join(' '))
      for (const flag of options.flatMap(({ flags }) => flags)) expect(shown).toContain(flag)
    }
  })
})
