import { messageOf, Problem } from '../base/problem.ts'
import { probesChanges, relayChanges } from '../config/changes.ts'
import type { LoadedProbes } from '../config/load-probes.ts'
import type { LoadedRelay } from '../config/load-relay.ts'

/** What the two files say. */
export interface LoadedFiles {
  readonly relay: LoadedRelay | undefined
  readonly probes: LoadedProbes | undefined
}

/** One sentence on what came of a reading. */
export interface ReloadNote {
  readonly text: string
  /** A problem is what somebody has to mend. */
  readonly level: 'info' | 'warn' | 'error'
}

export interface ReloadingOptions {
  /** What the parts were made from. */
  readonly files: LoadedFiles
  /** @throws Problem with all that is wrong with the files */
  readonly read: () => Promise<LoadedFiles>
  /** Takes certificates from where the file says; undefined: as before. Reports by itself. */
  readonly useCertificates: (relay: LoadedRelay | undefined) => Promise<void>
  /** @returns why the directory is as it was; undefined if it is another now */
  readonly useDirectory: (relay: LoadedRelay) => Promise<string | undefined>
  /** The same for the prober. */
  readonly useProbes: (probes: LoadedProbes) => Promise<string | undefined>
  readonly report: (note: ReloadNote) => void
  /** Whether everything that could be taken was. */
  readonly done: (taken: boolean) => void
}

// What only a new process can be given: the rest of the program is built around it.
const PROBES_FIXED = new Set(['state', 'admin', 'store', 'log'])

/**
 * Takes what has changed in the files into the running process: certificates, the directory, and all of the prober. The rest
 * of relay.yaml needs a restart, and that is said at every reading until it comes. If anything is wrong with the files,
 * everything stays as it is.
 */
export class Reloading {
  readonly #options: ReloadingOptions
  #inForce: LoadedFiles
  #running: Promise<unknown> = Promise.resolve()

  constructor(options: ReloadingOptions) {
    this.#options = options
    this.#inForce = options.files
  }

  /** Reads the files again, after a reading that is under way. Never throws: what is wrong is among the notes. */
  run(): Promise<readonly ReloadNote[]> {
    const run = this.#running.then(() => this.#run())
    this.#running = run.catch(() => undefined)
    return run
  }

  /** The same, note by note. */
  async *tell(): AsyncGenerator<ReloadNote> {
    yield* await this.run()
  }

  async #run(): Promise<readonly ReloadNote[]> {
    const { read, useCertificates, report, done } = this.#options
    const notes: ReloadNote[] = []
    const note = (text: string, level: ReloadNote['level'] = 'info'): void => {
      notes.push({ text, level })
      report({ text, level })
    }
    try {
      const { relay, probes } = await read()
      const { relay: oldRelay, probes: oldProbes } = this.#inForce
      const moved = relay && oldRelay && relayChanges(oldRelay, relay).some(isCertificate)
      await useCertificates(moved === true ? relay : undefined)
      if (relay && oldRelay) await this.#takeRelay(oldRelay, relay, note)
      if (probes && oldProbes) await this.#takeProbes(oldProbes, probes, note)
      if (notes.length === 0) note('nothing has changed in the configuration')
    } catch (error) {
      // A renewed certificate is taken whatever else is wrong.
      await useCertificates(undefined)
      note('the configuration is wrong, and the one in force stays:', 'error')
      for (const line of messageOf(error).split('\n')) note(line, 'error')
      if (!(error instanceof Problem)) note('this should not happen', 'error')
    }
    done(!notes.some(({ level }) => level === 'error'))
    return notes
  }

  async #takeRelay(old: LoadedRelay, next: LoadedRelay, note: Note): Promise<void> {
    const changes = relayChanges(old, next)
    const taken = changes.filter(key => isDirectory(key) || isCertificate(key))
    const left = changes.filter(key => !taken.includes(key))
    let { directory } = old.config
    let { ldap } = old
    if (taken.some(isDirectory)) {
      const changed = {
        ...old,
        ldap: next.ldap,
        config: {
          ...old.config,
          directory: { ...next.config.directory, domains: directory.domains },
        },
      }
      const reason = await this.#options.useDirectory(changed)
      if (reason === undefined) {
        directory = changed.config.directory
        ldap = changed.ldap
      } else {
        note(`${next.path}: the directory stays as it is: ${reason}`, 'error')
      }
    }
    this.#inForce = {
      ...this.#inForce,
      relay: { ...old, ldap, config: { ...old.config, tls: next.config.tls, directory } },
    }
    const done = relayChanges(old, this.#inForce.relay ?? old)
    if (done.length > 0) note(`${next.path}: ${done.join(', ')} changed: taken`)
    if (left.length > 0) {
      note(`${next.path}: ${left.join(', ')} changed: takes effect at the next restart`, 'warn')
    }
  }

  async #takeProbes(old: LoadedProbes, next: LoadedProbes, note: Note): Promise<void> {
    const changes = probesChanges(old, next)
    const left = changes.filter(key => PROBES_FIXED.has(key.split('.')[0] ?? ''))
    const taken = changes.filter(key => !left.includes(key))
    if (taken.length > 0) {
      const reason = await this.#options.useProbes(next)
      if (reason !== undefined) {
        note(`${next.path}: the prober stays as it is: ${reason}`, 'error')
        return
      }
      note(`${next.path}: ${taken.join(', ')} changed: taken`)
      if (this.#inForce.relay && taken.some(key => key.startsWith('providers'))) {
        note(
          `${next.path}: the relay goes by its providers of before until the next restart`,
          'warn',
        )
      }
    }
    const { state, admin, store, log } = old.config
    this.#inForce = {
      ...this.#inForce,
      probes: { ...next, store: old.store, config: { ...next.config, state, admin, store, log } },
    }
    if (left.length > 0) {
      note(`${next.path}: ${left.join(', ')} changed: takes effect at the next restart`, 'warn')
    }
  }
}

type Note = (text: string, level?: ReloadNote['level']) => void

/** The domains are known to others too: to the pages, and to whom postmaster is. */
function isDirectory(key: string): boolean {
  return key.startsWith('directory.') && key !== 'directory.domains'
}

function isCertificate(key: string): boolean {
  return key === 'tls' || key.startsWith('tls.')
}
