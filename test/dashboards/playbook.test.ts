import { readFile } from 'node:fs/promises'

import { describe, expect, it, vi } from 'vitest'

import { playbook } from '../../dashboards/playbook.ts'
import { runCommand } from '../../src/cli/command.ts'

const text = await readFile('docs/operating.md', 'utf8')

/** Every `mailcanary …` of the text, in a line of code or in a block of it, without what follows it in the shell. */
function commandsIn(markdown: string): string[] {
  const blocks = [...markdown.matchAll(/^ *```sh\n([\s\S]*?)^ *```/gm)].map(([, code = '']) => code)
  const rest = markdown.replaceAll(/^ *```sh\n[\s\S]*?^ *```/gm, '')
  const lines = [
    ...blocks.flatMap(code => code.split('\n')),
    ...[...rest.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code),
  ]
  return [
    ...new Set(
      lines
        .map(line => line.trim().replace(/ *(?:#|\||&&).*$/, ''))
        .filter(line => line.startsWith('mailcanary ')),
    ),
  ]
}

/** What a command says of itself. */
async function helpOf(words: readonly string[]): Promise<string> {
  let said = ''
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation(chunk => {
    said += String(chunk)
    return true
  })
  try {
    await runCommand([...words, '--help'], '0.1.0')
    return said
  } finally {
    spy.mockRestore()
  }
}

describe('the playbook', () => {
  it.each(commandsIn(text))('names a command that there is: %s', async command => {
    const words = command.split(/ +/).slice(1)
    const [name = '', next = ''] = words
    const own = await helpOf([name])
    expect(own).toMatch(new RegExp(`^Usage: mailcanary ${name}\\b`, 'm'))
    const nested = /^[a-z]+$/.test(next) && new RegExp(`^  ${next} `, 'm').test(own)
    const help = nested ? await helpOf([name, next]) : own
    for (const option of words.filter(word => word.startsWith('--'))) {
      expect(help, option).toMatch(new RegExp(`(?:^|\\s)${option}\\b`, 'm'))
    }
  })

  it.each(playbook())(
    'says of $alert what it means, how to look, what to do, when to stop',
    ({ text: section }) => {
      for (const word of ['*Means:*', '*Users feel', '*Look', '*Stop'])
        expect(section).toContain(word)
      expect(section).toMatch(/\*Do\b|and \*do\*/)
    },
  )
})
