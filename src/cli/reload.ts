import { join } from 'node:path'

import type { Command } from 'commander'

import type { ReloadNote } from '../app/reloading.ts'
import { Problem } from '../base/problem.ts'
import type { CommandContext } from './context.ts'
import { askDaemon } from './control-client.ts'
import { addFileOptions, loadFiles, type FileOptions } from './files.ts'

interface ReloadOptions extends FileOptions {
  readonly json?: boolean
}

/** `mailcanary reload`: has the daemon take what has changed in its files, and tells what came of it. */
export function addReload(program: Command, { exitWith }: CommandContext): void {
  addFileOptions(program.command('reload'))
    .description('Have the daemon read its configuration again, and say what it has taken.')
    .option('--json', 'one line of JSON for everything it says')
    .addHelpText(
      'after',
      `
Certificates, the directory and all of probes.yaml are taken at once, and no session ends. What else has changed in
relay.yaml is named: it takes effect at the next restart. If anything is wrong, the configuration in force stays.
The daemon reads the files it was started with; those named here say where it runs.

Exit code: 0 if the configuration is right and was taken, 1 if something is wrong (and was printed) or no daemon runs.

Example:
  mailcanary reload`,
    )
    .action(async (options: ReloadOptions) => {
      const { relay, probes } = await loadFiles(options)
      const state = (relay ?? probes)?.config.state ?? ''
      const notes = await askDaemon(join(state, 'control.sock'), '/reload')
      if (notes === undefined) throw new Problem(`no mailcanary runs on ${state}: start it`)
      for await (const note of notes as AsyncIterable<ReloadNote>) {
        const stream = note.level === 'info' ? process.stdout : process.stderr
        if (options.json === true) process.stdout.write(`${JSON.stringify(note)}\n`)
        else stream.write(`${note.text}\n`)
        if (note.level === 'error') exitWith(1)
      }
    })
}
