import type { StateFolder } from '../base/state-folder.ts'
import type { LoadedProbes } from '../config/load-probes.ts'
import { PROVIDERS } from '../mail/providers.ts'
import { type PeriodPart, type PeriodRequest, readPeriod } from '../probe/period.ts'
import type { TimetableRequest } from '../probe/timetable.ts'
import { openMemory } from './prober-memory.ts'
import { Probing } from './probing.ts'
import { askTimetable, type ProbeState } from './timetable-control.ts'

/*
 * What commands ask of a prober where no daemon runs: the history is opened for the time of the answer.
 */

/** Pauses probes, lets them go on, or lists them. @throws Problem if nothing has the name, or the history cannot be opened */
export async function* askTimetableAlone(
  loaded: LoadedProbes,
  folder: StateFolder,
  request: TimetableRequest,
): AsyncGenerator<ProbeState> {
  const surroundings = { folder, providers: PROVIDERS, clock: Date.now, random: Math.random }
  const probing = await Probing.open(loaded, surroundings, () => undefined, {
    trace: undefined,
    scheduled: false,
  })
  try {
    yield* askTimetable(probing, request)
  } finally {
    await probing.history.close()
  }
}

/** What a report is made of. @throws Problem if the history cannot be opened */
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
