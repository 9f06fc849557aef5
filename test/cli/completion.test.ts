import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { beforeAll, describe, expect, test } from 'vitest'

import { makeScratch } from '../support/scratch.ts'
import { missing } from '../support/server-process.ts'
import { commandLine } from './command-line.ts'
import { answerOnTerminal } from './terminal.ts'

let folder: string

beforeAll(async () => {
  folder = await makeScratch()
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, output } = await commandLine('completion', shell)
    expect(code).toBe(0)
    await writeFile(join(folder, shell), `${output}\n`)
  }
  await mkdir(join(folder, 'etc'))
  await writeFile(join(folder, 'etc', 'relay one.yaml'), '')
  return () => execFileSync('rm', ['-r', folder])
})

test('another shell is refused with the names of those that can be had', async () => {
  const { code, output } = await commandLine('completion', 'tcsh')
  expect(code).toBe(2)
  expect(output).toContain('Allowed choices are bash, zsh, fish')
})

describe.skipIf(missing('bash', 'script'))('bash', () => {
  /** Types into a bash of its own; <TAB> is that key. @returns the words that the command was given in the end */
  async function typed(line: string): Promise<readonly string[]> {
    const keys = [
      'mailcanary() { printf "<%s>" "$@"; echo .; }',
      'bind "set bell-style none"',
      `cd ${folder}; source ./bash`,
      line.replaceAll('<TAB>', '\t'),
      'exit',
    ]
    const seen = await answerOnTerminal(
      'env PS1="$ " bash --norc --noprofile -i',
      /\$ $/,
      `${keys.join('\n')}\n`,
    )
    const words = [...seen.matchAll(/^((?:<[^<>]*>)+)\.\r?$/gm)].at(-1)?.[1] ?? ''
    return [...words.matchAll(/<([^<>]*)>/g)].map(match => match[1] ?? '')
  }

  test('completes commands, the commands below them, and their options', async () => {
    expect(await typed('mailcanary qu<TAB>li<TAB>--dest<TAB>')).toEqual([
      'queue',
      'list',
      '--destination',
    ])
  })

  test('takes the value of an option for no command, and completes files with spaces', async () => {
    expect(await typed('mailcanary queue list --login show --limi<TAB>')).toEqual([
      'queue',
      'list',
      '--login',
      'show',
      '--limit',
    ])
    expect(await typed('mailcanary check --relay etc/re<TAB>')).toEqual([
      'check',
      '--relay',
      'etc/relay one.yaml',
    ])
  })

  test('completes words that are few', async () => {
    expect(await typed('mailcanary completion f<TAB>')).toEqual(['completion', 'fish'])
  })
})

describe.skipIf(missing('fish'))('fish', () => {
  function offered(line: string): readonly string[] {
    const text = execFileSync(
      'fish',
      [
        '--no-config',
        '-c',
        `source ${folder}/fish; cd ${folder}; complete -C ${JSON.stringify(line)}`,
      ],
      // It completes for programs that it finds.
      {
        encoding: 'utf8',
        env: { ...process.env, HOME: folder, PATH: `${process.cwd()}/bin:${process.env['PATH']}` },
      },
    )
    return text
      .split('\n')
      .map(row => row.split('\t')[0] ?? '')
      .filter(word => word !== '')
  }

  test('completes commands, options and files', () => {
    expect(offered('mailcanary qu')).toEqual(['queue'])
    expect(offered('mailcanary queue l')).toEqual(['list'])
    expect(offered('mailcanary queue list --dest')).toEqual(['--destination'])
    expect(offered('mailcanary completion ')).toEqual(['bash', 'fish', 'zsh'])
    expect(offered('mailcanary check --relay etc/re')).toEqual(['etc/relay one.yaml'])
  })
})

describe.skipIf(missing('zsh'))('zsh', () => {
  test('reads the script, and completes as zsh does', () => {
    // zpty is a terminal of zsh's own: what a person would see after pressing the key twice.
    const script = `
zmodload zsh/zpty
zpty shell "TERM=dumb PS1='ready> ' zsh -f -i"
zpty -w shell 'autoload -U compinit; compinit -u -D; setopt no_beep; source ${folder}/zsh; mailcanary() { print -r -- "<\${(j:><:)@}>." }'
zpty -w shell $'mailcanary qu\\tli\\t--dest\\t'
zpty -w shell 'exit'
while zpty -r shell line; do print -r -- "$line"; done
`
    const seen = execFileSync('zsh', ['-f', '-c', script], { encoding: 'utf8' })
    expect(seen).toContain('<queue><list><--destination>.')
  })
})
