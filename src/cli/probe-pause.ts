import type { Command } from 'commander'

import { askTimetableAlone } from '../app/prober-alone.ts'
import type { ProbeState } from '../app/timetable-control.ts'
import { formatDuration } from '../base/duration.ts'
import type { TimetableRequest } from '../probe/timetable.ts'
import { operatorName } from './operator.ts'
import { print, printJson } from './print.ts'
import { addProberOptions, askProber, type ProberOptions } from './prober-access.ts'
import { table } from './table.ts'
import { dateTime } from './times.ts'

interface Options extends ProberOptions {
  readonly json?: boolean
}

/** `mailcanary probe pause|resume NAME`, `mailcanary probe list`. */
export function addProbePause(probe: Command): void {
  const add = (name: string, what: string, help: string): Command =>
    addProberOptions(probe.command(name).description(what))
      .option('--json', 'one line of JSON for each probe')
      .addHelpText('after', help)

  add(
    'pause <name>',
    'Keep a probe or a group from sending, until it is resumed.',
    `
On all nodes, and after a restart too. Canaries on their way are followed to their verdict; one can still be sent by hand.

Exit code: 0 done (also where it was paused before), 1 a problem was printed.

Example: mailcanary probe pause relay/gmail-1`,
  ).action((name: string, _: unknown, command: Command) =>
    ask({ ask: 'pause', name, by: operatorName() }, command.optsWithGlobals<Options>()),
  )
  add(
    'resume <name>',
    'Let a probe or a group send again.',
    `
Exit code: 0 done (also where it was not paused), 1 a problem was printed.

Example: mailcanary probe resume everyone`,
  ).action((name: string, _: unknown, command: Command) =>
    ask({ ask: 'resume', name, by: operatorName() }, command.optsWithGlobals<Options>()),
  )
  add(
    'list',
    'Show the probes, and which of them are paused.',
    `
Exit code: 0 done, 1 a problem was printed.

Example: mailcanary probe list --json`,
  ).action((_: unknown, command: Command) =>
    ask({ ask: 'list' }, command.optsWithGlobals<Options>()),
  )
}

async function ask(request: TimetableRequest, options: Options): Promise<void> {
  const states: ProbeState[] = []
  const answer = askProber(options, '/timetable', request, (probes, folder) =>
    askTimetableAlone(probes, folder, request),
  )
  for await (const state of answer) states.push(state)
  if (options.json === true) states.forEach(printJson)
  else print(table([['PROBE', 'GROUP', 'STATE'], ...states.map(rowOf)]))
}

function rowOf({ probe, group, paused, changed }: ProbeState): readonly string[] {
  if (!paused) return [probe, group, changed === true ? 'sends again' : 'sends']
  const since = `${dateTime(paused.at)} (${formatDuration(Date.now() - paused.at)} ago)`
  return [probe, group, `${changed === true ? 'now ' : ''}paused by ${paused.by}, ${since}`]
}
