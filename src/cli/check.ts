import type { Command } from 'commander'

import type { CommandContext } from './context.ts'
import { addFileOptions, loadFiles, type FileOptions } from './files.ts'

/** `mailcanary check`: is the configuration right? Changes nothing. */
export function addCheck(program: Command, _context: CommandContext): void {
  addFileOptions(program.command('check'))
    .description('Check the configuration and say all that is wrong with it.')
    .addHelpText(
      'after',
      `
Exit code: 0 if all is well, 1 if there are problems (each as file:line:column: key: what is wrong).

Example:
  mailcanary check --relay relay.yaml --probes probes.yaml`,
    )
    .action(async (options: FileOptions) => {
      const { relay, probes } = await loadFiles(options)
      if (relay !== undefined) {
        const { hostname, listen, directory, delivery } = relay.config
        const listeners = listen.submissions.length + listen.submission.length
        const source = directory.ldap?.url ?? directory.export_file?.path ?? ''
        const route =
          delivery.smarthost === undefined
            ? 'straight to the MX'
            : `through ${delivery.smarthost.host}`
        say(
          `${relay.path}: well: ${hostname}, ${amount(listeners, 'listener')}, logins from ${source}, mail goes ${route}`,
        )
      }
      if (probes !== undefined) {
        const { origins, seeds, probes: groups } = probes.config
        const all = groups.reduce(
          (sum, group) => sum + group.origins.length * group.seeds.length * group.contents.length,
          0,
        )
        say(
          `${probes.path}: well: ${amount(Object.keys(origins).length, 'origin')}, ` +
            `${amount(Object.keys(seeds).length, 'seed')}, ${amount(all, 'probe')}`,
        )
      }
    })
}

function amount(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
