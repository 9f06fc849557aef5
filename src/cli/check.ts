import type { Command } from 'commander'

import { worst } from '../base/finding.ts'
import type { CommandContext } from './context.ts'
import { addFileOptions, loadFiles, type FileOptions } from './files.ts'
import { print, printJson } from './print.ts'

interface CheckOptions extends FileOptions {
  readonly live?: boolean
  readonly json?: boolean
}

/** `mailcanary check`: is the configuration right? Changes nothing. */
export function addCheck(program: Command, { exitWith }: CommandContext): void {
  addFileOptions(program.command('check'))
    .description('Check the configuration and say all that is wrong with it.')
    .option(
      '--live',
      'also try what it names: DNS, blocklists, ports, certificate, directory, mailboxes',
    )
    .option('--json', 'with --live: the findings as one document on one line')
    .addHelpText(
      'after',
      `
With --live it changes nothing, and needs no running daemon. Its first column says ok; look: works for some; BAD; or ?: could
not be found out. What goes to the internet (section checks of relay.yaml) is left out where checks.enabled is false.

Exit code: 0 if all is well, 1 if there are problems (each as file:line:column: key: what is wrong); with --live 1 if anything is BAD.

Examples:
  mailcanary check --relay relay.yaml --probes probes.yaml
  mailcanary check --relay relay.yaml --live`,
    )
    .action(async (options: CheckOptions) => {
      const files = await loadFiles(options)
      const { relay, probes } = files
      if (options.live === true) {
        // Checking a file should not have to load a mail server.
        const { liveTable, lookLive } = await import('./live.ts')
        const findings = await lookLive(files)
        if (options.json === true) printJson({ findings })
        else print(liveTable(findings))
        exitWith(worst(findings) === 'bad' ? 1 : 0)
        return
      }
      if (relay !== undefined) {
        const { hostname, listen, directory, delivery } = relay.config
        const listeners = [
          amount(listen.submissions.length + listen.submission.length, 'listener'),
          ...(listen.local.length > 0 ? [`${listen.local.length} for local applications`] : []),
          ...(listen.ssh ? [`1 for sshd (${listen.ssh.socket})`] : []),
        ].join(', ')
        const source = directory.ldap?.url ?? directory.export_file?.path ?? ''
        const route =
          delivery.smarthost === undefined
            ? 'straight to the MX'
            : `through ${delivery.smarthost.host}`
        say(
          `${relay.path}: well: ${hostname}, ${listeners}, logins from ${source}, mail goes ${route}`,
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
