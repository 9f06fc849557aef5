// The manual page, made of the help texts of all commands. node scripts/manual.ts writes it (npm run generate),
// test/cli/manual.test.ts compares it.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import {
  allNodes,
  commandTree,
  type CommandNode,
  type OptionNode,
} from '../src/cli/command-tree.ts'
import { createProgram } from '../src/cli/command.ts'

export const MANUAL = 'deploy/man/mailcanary.1'

/** The page in the language of man(7). */
export async function manual(): Promise<string> {
  const root = commandTree(await createProgram(''))
  const commands = allNodes(root).slice(1)
  return `${[
    String.raw`.\" Made by npm run generate from the help texts of the commands.`,
    '.TH MAILCANARY 1 "" mailcanary "User Commands"',
    '.SH NAME',
    String.raw`mailcanary \- mail submission server, and prober that tells whether mail arrives`,
    '.SH SYNOPSIS',
    ...root.below
      .flatMap(({ path }) => ['.br', `.B ${escaped(`mailcanary ${path.join(' ')}`)} ...`])
      .slice(1),
    '.SH DESCRIPTION',
    ...prose(DESCRIPTION),
    '.SH OPTIONS',
    ...root.options.flatMap(optionLines),
    '.TP',
    `.B ${escaped('-h, --help')}`,
    'help for the program, or for a command',
    '.SH COMMANDS',
    ...commands.flatMap(sectionOf),
    '.SH EXIT STATUS',
    ...prose('As above. Otherwise 0 done, 1 a problem that was printed, 2 a wrong command line.'),
    '.SH FILES',
    ...FILES.flatMap(([path, what]) => ['.TP', `.I ${escaped(path)}`, escaped(what)]),
    '.SH SEE ALSO',
    String.raw`.BR systemctl (1),`,
    String.raw`.BR journalctl (1),`,
    escaped(
      'the pages in /usr/share/doc/mailcanary/docs: configuration.md has every key of both files, operating.md what to do when an alert fires.',
    ),
  ].join('\n')}\n`
}

const DESCRIPTION = `A submission server (RFC 6409) for the people of a directory, with a durable queue, delivering straight to the recipients' mail exchangers or through a smarthost; and a prober that sends canary messages through it to accounts of its own at the big providers, reads those accounts over IMAP, and tells what became of every canary.

Begin with mailcanary demo, which needs nothing, or with mailcanary init, which writes both files of the configuration by asking.`

const FILES = [
  [
    '/etc/mailcanary/relay.yaml',
    'The relay. Every key with its default and its reason is in configuration.md.',
  ],
  ['/etc/mailcanary/probes.yaml', 'The prober.'],
  [
    '/var/lib/mailcanary',
    'Queue, history, snapshot of the directory: everything that has to survive.',
  ],
  ['/usr/lib/mailcanary/schemas', 'JSON Schemas of both files, for editors.'],
] as const

function sectionOf({
  path,
  usage,
  description,
  options,
  parameters,
  notes,
}: CommandNode): string[] {
  const isGroup = options.length === 0 && parameters.length === 0 && notes === ''
  return [
    `.SS ${escaped(['mailcanary', ...path].join(' '))}`,
    ...prose(description),
    ...(isGroup ? [] : ['.PP', `.B ${escaped(usage)}`]),
    ...parameters
      .filter(({ description }) => description !== '')
      .flatMap(({ name, description }) => ['.TP', `.I ${escaped(name)}`, escaped(description)]),
    ...options.flatMap(optionLines),
    ...(notes === '' ? [] : ['.PP', ...prose(notes)]),
  ]
}

function optionLines({ flags, takes, description, unless }: OptionNode): readonly string[] {
  const value = takes === undefined ? '' : ` \\fI${escaped(takes)}\\fP`
  return [
    '.TP',
    `.B ${escaped(flags.join(', '))}${value}`,
    escaped(unless === '' ? description : `${description} (default: ${unless})`),
  ]
}

/** Paragraphs are filled; lines that are indented stand as they are. */
function prose(text: string): readonly string[] {
  const lines: string[] = []
  let asIs = false
  for (const line of text.split('\n')) {
    const indented = line.startsWith('  ')
    if (indented !== asIs)
      lines.push(...(indented ? ['.PP', '.nf', '.RS 4'] : ['.RE', '.fi', '.PP']))
    asIs = indented
    if (line !== '') lines.push(escaped(line.trim()))
    else if (lines.at(-1) !== '.PP') lines.push('.PP')
  }
  if (asIs) lines.push('.RE', '.fi')
  return lines.filter(
    (line, i) => !(line === '.PP' && ['.PP', '.nf'].includes(lines[i + 1] ?? '.PP')),
  )
}

/** Text that is none of roff's requests, with hyphens that can be copied. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', String.raw`\e`)
    .replaceAll('-', String.raw`\-`)
    .replace(/^(?=[.'])/, String.raw`\&`)
}

if (import.meta.main) writeFileSync(join(import.meta.dirname, '..', MANUAL), await manual())
