import { stat } from 'node:fs/promises'

import type { Command } from 'commander'

import { backUp, restore, type Manifest } from '../app/backup.ts'
import { holdRestored } from '../app/restored-queue.ts'
import { Problem } from '../base/problem.ts'
import { StateFolder } from '../base/state-folder.ts'
import type { CommandContext } from './context.ts'
import { addFileOptions, loadFiles, type FileOptions } from './files.ts'
import { operatorName } from './operator.ts'
import { print, printJson } from './print.ts'

interface BackupOptions extends FileOptions {
  readonly state?: string
  readonly json?: boolean
}

interface RestoreOptions extends BackupOptions {
  /** False with --no-hold. */
  readonly hold: boolean
}

/** `mailcanary backup FOLDER`: a copy of the state, also while the daemon works in it. */
export function addBackup(program: Command, { version }: CommandContext): void {
  addFileOptions(program.command('backup'))
    .description('Copy everything that mailcanary remembers into a folder, also while it runs.')
    .argument('<folder>', 'absent or empty; made readable for its owner alone')
    .option('--state <folder>', 'the state to copy, without reading a configuration')
    .option('--json', 'what the backup says of itself as one line of JSON')
    .addHelpText(
      'after',
      `
In it are queued letters, password hashes and keys: keep it as safe as the state itself. Configuration and secrets in
/etc/mailcanary are not in it. A queue or history in PostgreSQL is not either: use pg_dump for those.

Exit code: 0 if it is whole, 1 if not (the reason is printed).

Example:
  mailcanary backup /var/backups/mailcanary/$(date +%F)`,
    )
    .action(async (target: string, options: BackupOptions) => {
      const state = await stateOf(options)
      const showing = process.stderr.isTTY && options.json !== true
      const manifest = await backUp(state, target, {
        version,
        now: Date.now(),
        progress: (file, share) => {
          if (showing) process.stderr.write(`\r${file} ${Math.round(share * 100)} %   `)
        },
      })
      if (showing) process.stderr.write('\r\u001b[K')
      if (options.json === true) printJson(manifest)
      else print([`backed up ${contents(manifest)} from ${state} to ${target}`])
    })
}

/** `mailcanary restore FOLDER`: the way back. */
export function addRestore(program: Command, _context: CommandContext): void {
  addFileOptions(program.command('restore'))
    .description('Put a backup into an absent or empty state folder.')
    .argument('<folder>', 'what mailcanary backup has made')
    .option('--state <folder>', 'where to, without reading a configuration')
    .option('--no-hold', 'deliver at once what was queued when the backup was made')
    .option('--json', 'what the backup says of itself as one line of JSON')
    .addHelpText(
      'after',
      `
What was queued then may have been delivered since, and would be a second time: so everything is held until you say
\`mailcanary queue release --everything\`, after a look with \`mailcanary queue list\`. The daemon must not run.

Exit code: 0 if all is back, 1 if not (the reason is printed, and the state folder is as it was).

Examples:
  mailcanary restore /var/backups/mailcanary/2026-11-28
  mailcanary restore /var/backups/mailcanary/2026-11-28 --state /tmp/look --no-hold`,
    )
    .action(async (backup: string, options: RestoreOptions) => {
      const state = await stateOf(options)
      if (!(await stat(backup).catch(() => undefined))?.isDirectory()) {
        throw new Problem(`${backup} is no folder: name one that mailcanary backup has made`)
      }
      const folder = await StateFolder.open(state)
      try {
        const manifest = await restore(backup, folder.path)
        const held = options.hold
          ? await holdRestored(folder.path, { by: operatorName(), at: Date.now() })
          : undefined
        if (options.json === true) {
          printJson({ ...manifest, held: held ?? 0 })
          return
        }
        print([`restored ${contents(manifest)} of ${manifest.madeAt} to ${state}`])
        if (held !== undefined && held > 0) {
          print([
            `held: ${held} that were queued then, and all mail that comes: look at mailcanary queue list, then`,
            'let it go: mailcanary queue release --everything',
          ])
        }
      } finally {
        folder.close()
      }
    })
}

async function stateOf(options: BackupOptions): Promise<string> {
  if (options.state !== undefined) return options.state
  const { relay, probes } = await loadFiles(options)
  return (relay ?? probes)?.config.state ?? ''
}

function contents({ files }: Manifest): string {
  const size = files.reduce((sum, file) => sum + file.size, 0)
  return `${files.length} files (${(size / 1024 ** 2).toFixed(1)} MiB)`
}
