import { join } from 'node:path'

import type { Command } from 'commander'

import { probeNow, type ProbeNews } from '../app/probe-now.ts'
import { Problem } from '../base/problem.ts'
import { StateFolder } from '../base/state-folder.ts'
import type { LoadedProbes } from '../config/load-probes.ts'
import { PROVIDERS } from '../mail/providers.ts'
import { createLog } from '../observe/log.ts'
import type { CommandContext } from './context.ts'
import { askDaemon } from './control-client.ts'
import { chosenFiles, loadProbesFile } from './files.ts'
import { addProbePause } from './probe-pause.ts'

interface ProbeOptions {
  readonly all?: boolean
  readonly json?: boolean
  readonly probes?: string
  readonly state?: string
}

/** `mailcanary probe NAME`: one canary now, and what becomes of it. The words below it are no names of probes. */
export function addProbe(program: Command, { version, exitWith }: CommandContext): void {
  const probe = program
    .command('probe')
    .description('Send one canary now and watch what becomes of it.')
    .argument('[name]', 'a probe (relay/gmail-1) or a group of probes (everyone)')
    .option('--all', 'every probe')
    .option('--probes <file>', 'configuration of the prober (default: /etc/mailcanary/probes.yaml)')
    .option(
      '--state <folder>',
      'ask the daemon that owns this state folder, and read no configuration',
    )
    .option('--json', 'one line of JSON for everything that happens')
    .addHelpText(
      'after',
      `
Asks the daemon where one runs on the state folder; otherwise does it by itself, without a trace in the relay.

Exit code: 0 everything reached the inbox, 1 something did not (or a problem was printed), 2 something is unknown.

Examples:
  mailcanary probe everyone
  mailcanary probe relay/gmail-1 --probes probes.yaml --json`,
    )
    .action(async (name: string | undefined, options: ProbeOptions) => {
      if ((name === undefined) === (options.all !== true)) {
        throw new Problem('name one probe or group, or say --all')
      }
      const news = await newsOf(name ?? 'all', options, version)
      exitWith(await watch(news, options.json === true))
    })
  addProbePause(probe)
}

async function newsOf(
  name: string,
  options: ProbeOptions,
  version: string,
): Promise<AsyncIterable<ProbeNews>> {
  const path = `/probe/${encodeURIComponent(name)}`
  if (options.state !== undefined) {
    const answer = await askDaemon(join(options.state, 'control.sock'), path)
    if (answer !== undefined) return answer as AsyncIterable<ProbeNews>
    throw new Problem(
      `no mailcanary runs on ${options.state}: start one, or name a file with --probes`,
    )
  }
  const file = options.probes ?? chosenFiles({}).probes
  if (file === undefined) throw new Problem('there is no probes.yaml: name one with --probes')
  const probes = await loadProbesFile(file)
  const answer = await askDaemon(join(probes.config.state, 'control.sock'), path)
  return answer === undefined ? alone(name, probes, version) : (answer as AsyncIterable<ProbeNews>)
}

/** Without a daemon: opens the state, sends, waits for the verdict, and leaves. */
async function* alone(
  name: string,
  probes: LoadedProbes,
  version: string,
): AsyncGenerator<ProbeNews> {
  const { startApp } = await import('../app.ts')
  const folder = await StateFolder.open(probes.config.state)
  try {
    const app = await startApp({
      relay: undefined,
      probes,
      folder,
      version,
      daemon: false,
      log: createLog({
        format: 'json',
        level: 'error',
        stream: process.stderr,
        colour: false,
        clock: Date.now,
      }),
      providers: PROVIDERS,
      clock: Date.now,
      random: Math.random,
    })
    try {
      if (app.probing !== undefined) yield* probeNow(app.probing, name, Date.now)
    } finally {
      await app.stop()
    }
  } finally {
    folder.close()
  }
}

/** Prints what happens. @returns the exit code */
export async function watch(news: AsyncIterable<ProbeNews>, json: boolean): Promise<number> {
  let code = 0
  const began = Date.now()
  for await (const item of news) {
    if (json) process.stdout.write(`${JSON.stringify(item)}\n`)
    else process.stdout.write(`${seconds(item.at - began)}  ${item.probe}  ${item.text}\n`)
    if (item.verdict === 'unknown') code = 2
    else if (item.verdict !== undefined && item.verdict !== 'inbox') code = Math.max(code, 1)
  }
  return code
}

function seconds(milliseconds: number): string {
  return `${(Math.max(0, milliseconds) / 1_000).toFixed(1).padStart(6)} s`
}
