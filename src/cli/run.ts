import type { Command } from 'commander'

import { startApp } from '../app.ts'
import { StateFolder } from '../base/state-folder.ts'
import { PROVIDERS } from '../mail/providers.ts'
import type { CommandContext } from './context.ts'
import { addFileOptions, loadFiles, type FileOptions } from './files.ts'
import { logFor } from './log.ts'
import { stopRequest } from './stop-request.ts'

/** `mailcanary run`: the relay and the prober, or the one whose file is given, until it is told to stop. */
export function addRun(program: Command, { version }: CommandContext): void {
  addFileOptions(program.command('run'))
    .description('Run the relay and the prober, or the one whose file is given.')
    .addHelpText(
      'after',
      `
SIGTERM or SIGINT stops it: running deliveries get a few seconds, what is queued stays queued. A second one ends it at once.

Exit code: 0 after a stop, 1 if it could not start (the reason is printed).

Example:
  mailcanary run --relay /etc/mailcanary/relay.yaml --probes /etc/mailcanary/probes.yaml`,
    )
    .action(async (options: FileOptions) => {
      const stopping = stopRequest()
      const { relay, probes } = await loadFiles(options)
      const config = (relay ?? probes)?.config
      const log = logFor(config?.log)
      const folder = await StateFolder.open(config?.state ?? '')
      try {
        const app = await startApp({
          relay,
          probes,
          folder,
          log,
          version,
          daemon: true,
          providers: PROVIDERS,
          clock: Date.now,
          random: Math.random,
        })
        log.say(`mailcanary ${version} runs; its status page is ${app.adminUrl()}`)
        await stopping
        log.say('stopping')
        await app.stop()
        log.say('stopped')
      } finally {
        folder.close()
      }
    })
}
