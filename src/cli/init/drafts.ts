import { constants } from 'node:fs'
import { access, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'

import type { LoadedFiles } from '../../app/reloading.ts'
import { writeAtomically } from '../../base/atomic-file.ts'
import { codeOf, Problem } from '../../base/problem.ts'
import { configurationText } from '../../config/set-up.ts'
import { loadFiles } from '../files.ts'
import type { GivenSecret } from './interview.ts'
import type { ServiceUser } from './service-user.ts'

type Sections = Readonly<Record<string, unknown>>

/** Both files as they are to be, and the secrets that they name. */
export interface Drafts {
  readonly relay: Sections
  readonly probes?: Sections
  readonly secrets: readonly GivenSecret[]
}

/**
 * Reads drafts as the program would read the files, without writing any of them: secrets lie for that moment in a folder
 * that only we can read.
 *
 * @param scratch an existing folder in which that folder is made
 * @throws Problem with all that is wrong
 */
export async function loadDrafts(drafts: Drafts, scratch: string): Promise<LoadedFiles> {
  const folder = await mkdtemp(join(scratch, 'mailcanary-init-'))
  try {
    const moved = new Map<string, string>()
    for (const { path, value, isNew } of drafts.secrets) {
      if (!isNew) continue
      const place = join(folder, basename(path))
      await writeFile(place, value.reveal(), { mode: 0o600 })
      moved.set(path, place)
    }
    const paths = { relay: join(folder, 'relay.yaml'), probes: join(folder, 'probes.yaml') }
    await writeFile(paths.relay, configurationText('relay', led(drafts.relay, moved)))
    if (drafts.probes === undefined) return await loadFiles({ relay: paths.relay })
    await writeFile(paths.probes, configurationText('probes', led(drafts.probes, moved)))
    return await loadFiles(paths)
  } catch (error) {
    // Nobody knows that folder, and it is gone in a moment.
    throw error instanceof Problem ? new Problem(error.message.replaceAll(`${folder}/`, '')) : error
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/**
 * Writes everything: the secrets first, since a configuration that names what is not there would be half written.
 *
 * @param service who has to read it; undefined where that is us
 * @returns the paths, in their order
 */
export async function writeDrafts(
  drafts: Drafts,
  paths: { readonly relay: string; readonly probes: string },
  service: ServiceUser | undefined,
): Promise<readonly string[]> {
  const written: string[] = []
  const keep = async (path: string, content: string, mode: number): Promise<void> => {
    await writeAtomically(path, content, mode)
    if (service !== undefined) await chown(path, 0, service.gid)
    written.push(path)
  }
  // Owner root and the service's group, as the Debian package has it: the service can read and not change them.
  const secret = service === undefined ? 0o600 : 0o640
  for (const { path, value, isNew } of drafts.secrets) {
    if (isNew) await keep(path, `${value.reveal()}\n`, secret)
  }
  if (drafts.probes !== undefined) {
    await keep(paths.probes, configurationText('probes', drafts.probes), 0o644)
  }
  await keep(paths.relay, configurationText('relay', drafts.relay), 0o644)
  return written
}

/** Makes the folder of the configuration where it is not there. @throws Problem where that may not be */
export async function makeFolder(path: string, service: ServiceUser | undefined): Promise<void> {
  try {
    const made = await mkdir(path, { recursive: true, mode: 0o750 })
    if (made !== undefined && service !== undefined) await chown(path, 0, service.gid)
    await access(path, constants.W_OK)
  } catch (error) {
    throw new Problem(
      `${path} cannot be written (${codeOf(error)}): use sudo, or name another --folder`,
    )
  }
}

/** Which of the paths are there already. */
export async function existing(paths: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    paths.map(path =>
      access(path).then(
        () => path,
        () => undefined,
      ),
    ),
  )
  return found.filter(path => path !== undefined)
}

/** The same sections with other paths. */
function led(value: Sections, moved: ReadonlyMap<string, string>): Sections {
  const inside = (inner: unknown): unknown => {
    if (typeof inner === 'string') return moved.get(inner) ?? inner
    if (Array.isArray(inner)) return inner.map(inside)
    if (typeof inner !== 'object' || inner === null) return inner
    return led(inner as Sections, moved)
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, inside(inner)]))
}
