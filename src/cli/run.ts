import { setFlagsFromString } from 'node:v8'

import type { Command } from 'commander'

import { Pseudonyms } from '../app/pseudonyms.ts'
import { messageOf } from '../base/problem.ts'
import { StateFolder } from '../base/state-folder.ts'
import { PROVIDERS } from '../mail/providers.ts'
import type { CommandContext } from './context.ts'
import { addFileOptions, loadFiles, type FileOptions } from './files.ts'
import { logFor } from './log.ts'
import { stopRequest } from './stop-request.ts'

/*
 * Octets outside of the heap count for the collector as if they were in it, and bodies pass through at many times the size of
 * our heap: V8 marked all 30 MiB of it for every ten. Now it waits until the heap and what is outside have grown fourfold:
 * a message of 1 MiB took 26 ms of processor time, and takes 20; idle sessions cost what they did.
 */
const COLLECT_LATER = '--heap-growing-percent=300'

/*
 * Beside that, 64 MB outside of the heap since the last time were reason enough to mark all of it, although they were garbage
 * that had yet to be noticed: five times a second at 170 messages of 1 MiB, by helpers, a fifth of the processor time. With
 * this they have no rule of their own. V8 has it since its version 13.
 */
const COLLECT_TOGETHER = '--external-memory-accounted-in-global-limit'

/*
 * The young generation of a thread is some MiB and nearly all of it is garbage: four helpers were woken to copy next to nothing,
 * once or twice for each ten messages. A twentieth of the processor time a message, most where each has a session of its own.
 */
const COLLECT_ALONE = '--no-parallel-scavenge'

/** `mailcanary run`: the relay and the prober, or the one whose file is given, until it is told to stop. */
export function addRun(program: Command, { version }: CommandContext): void {
  addFileOptions(program.command('run'))
    .description('Run the relay and the prober, or the one whose file is given.')
    .addHelpText(
      'after',
      `
SIGHUP reads both files again, as mailcanary reload does: certificates, the directory and all of probes.yaml are taken without
ending a session, other changes of relay.yaml at the next restart; the log says which. A wrong file changes nothing.
SIGTERM or SIGINT stops it: sessions may finish their message and running deliveries get a few seconds; what is queued stays
queued. A second one ends it at once.

Exit code: 0 after a stop, 1 if it could not start (the reason is printed).

Example:
  mailcanary run --relay /etc/mailcanary/relay.yaml --probes /etc/mailcanary/probes.yaml`,
    )
    .action(async (options: FileOptions) => {
      setFlagsFromString(COLLECT_LATER)
      setFlagsFromString(COLLECT_ALONE)
      // What it does not know it would complain about.
      if (Number.parseInt(process.versions.v8, 10) >= 13) setFlagsFromString(COLLECT_TOGETHER)
      const stopping = stopRequest()
      // Checking a command line should not have to load a server.
      const { startApp } = await import('../app.ts')
      // Without a listener the signal would end the process.
      let reload = (): void => undefined
      const hangUp = (): void => reload()
      process.on('SIGHUP', hangUp)
      const { relay, probes } = await loadFiles(options)
      const config = (relay ?? probes)?.config
      const folder = await StateFolder.open(config?.state ?? '')
      try {
        const pseudonyms =
          relay &&
          (await Pseudonyms.open(folder.file('pseudonym.keys'), {
            retention: relay.config.retention.log,
            clock: Date.now,
            failed: error =>
              log.say(`the key of the pseudonyms stays: ${messageOf(error)}`, 'error'),
          }))
        const log = logFor(config?.log, pseudonyms && (name => pseudonyms.of(name)))
        const app = await startApp({
          relay,
          probes,
          reread: () => loadFiles(options),
          folder,
          log,
          version,
          daemon: true,
          providers: PROVIDERS,
          clock: Date.now,
          random: Math.random,
          ...(pseudonyms && { pseudonyms }),
        })
        reload = () => void app.reload()
        log.say(`mailcanary ${version} runs; its status page is ${app.adminUrl()}`)
        await stopping
        log.say('stopping')
        await app.stop()
        log.say('stopped')
      } finally {
        process.off('SIGHUP', hangUp)
        folder.close()
      }
    })
}
