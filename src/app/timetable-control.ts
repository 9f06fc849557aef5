import type { TimetableRequest } from '../probe/timetable.ts'
import { chosenProbes } from './probe-now.ts'
import type { Probing } from './probing.ts'

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
