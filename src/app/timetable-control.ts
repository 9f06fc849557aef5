import type { StateFolder } from '../base/state-folder.ts'
import type { LoadedProbes } from '../config/load-probes.ts'
import { PROVIDERS } from '../mail/providers.ts'
import { type PeriodPart, type PeriodRequest, readPeriod } from '../probe/period.ts'
import type { TimetableRequest } from '../probe/timetable.ts'
import { chosenProbes } from './probe-now.ts'
import { openMemory } from './prober-memory.ts'
import { createProbing, type Probing } from './prober-parts.ts'

/** One probe and whether it sends. */
export interface ProbeState {
  readonly probe: string
  readonly group: string
  /** Who has paused it, and when (milliseconds since the epoch); undefined while it sends. */
  readonly paused?: { readonly at: number; readonly by: string }
  /** With `pause` and `resume`: whether this has changed anything. */
  readonly changed?: boolean
}

/** Pauses probes, lets them go on, or lists them. @throws Problem if nothing has the name */
export async function* askTimetable(
  probing: Pick<Probing, 'groups' | 'prober'>,
  request: TimetableRequest,
): AsyncGenerator<ProbeState> {
  const { timetable } = probing.prober
  const names = chosenProbes(probing, request.ask === 'list' ? 'all' : request.name)
  const changed = new Set<string>()
  for (const name of names) {
    const done =
      request.ask === 'pause'
        ? await timetable.pause(name, request.by)
        : request.ask === 'resume' && (await timetable.resume(name))
    if (done) changed.add(name)
  }
  const pauses = new Map((await timetable.pauses()).map(pause => [pause.probe, pause]))
  for (const [group, probes] of probing.groups) {
    for (const probe of probes) {
      if (!names.includes(probe)) continue
      const pause = pauses.get(probe)
      yield {
        probe,
        group,
        ...(pause && { paused: { at: pause.at, by: pause.by } }),
        ...(request.ask !== 'list' && { changed: changed.has(probe) }),
      }
    }
  }
}

/** The same where no daemon runs: the history is opened for the time of the answer. */
export async function* askTimetableAlone(
  loaded: LoadedProbes,
  folder: StateFolder,
  request: TimetableRequest,
): AsyncGenerator<ProbeState> {
  const surroundings = { folder, providers: PROVIDERS, clock: Date.now, random: Math.random }
  const probing = await createProbing(loaded, surroundings, () => undefined, {
    trace: undefined,
    scheduled: false,
  })
  try {
    yield* askTimetable(probing, request)
  } finally {
    await probing.history.close()
  }
}

/** What a report is made of, where no daemon runs. @throws Problem if the history cannot be opened */
export async function* readPeriodAlone(
  loaded: LoadedProbes,
  folder: StateFolder,
  request: PeriodRequest,
): AsyncGenerator<PeriodPart> {
  const { history } = await openMemory(loaded.store, folder)
  try {
    yield* readPeriod(history, request)
  } finally {
    await history.close()
  }
}
