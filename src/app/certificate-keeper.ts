import { stat } from 'node:fs/promises'

import type { CertificatePair } from '../base/certificate.ts'
import { MINUTE, type Clock } from '../base/clock.ts'
import type { Part } from '../base/lifecycle.ts'
import { Periodic } from '../base/periodic.ts'
import { codeOf, messageOf } from '../base/problem.ts'
import type { ServerIdentities } from '../base/server-tls.ts'
import { rereadAdminCertificate } from '../config/admin.ts'
import { certificateFiles, rereadIdentities } from '../config/certificates.ts'
import type { LoadedProbes } from '../config/load-probes.ts'
import type { LoadedRelay } from '../config/load-relay.ts'
import type { ReportRelayEvent } from '../relay/events.ts'

/** Where certificates lie. */
export interface CertificatePlace {
  /** Every file that is read. */
  readonly files: readonly string[]
  /** Reads and checks all of them. @throws Problem with what is wrong */
  readonly read: (now: number) => ServerIdentities
}

export interface CertificateKeeperOptions extends CertificatePlace {
  readonly name?: string
  /** What is in use. */
  readonly identities: ServerIdentities
  /** Shows them to connections to come. */
  readonly use: (identities: ServerIdentities) => void
  readonly report: ReportRelayEvent
  readonly clock: Clock
  /** Milliseconds between two looks at the files. Default a minute. */
  readonly every?: number
}

/**
 * Has the listeners show renewed certificates without a restart, and without ending a session. Files are looked at
 * rather than watched: who renews replaces them, links to them or mounts them, and no watch sees all of these.
 */
export class CertificateKeeper implements Part {
  readonly name: string
  readonly #options: CertificateKeeperOptions
  readonly #looking: Periodic
  #place: CertificatePlace
  #identities: ServerIdentities
  #known: string | undefined
  #doubtful = ''

  constructor(options: CertificateKeeperOptions) {
    this.#options = options
    this.name = options.name ?? 'certificates'
    this.#place = options
    this.#identities = options.identities
    this.#looking = new Periodic({
      name: this.name,
      every: options.every ?? MINUTE,
      run: () => this.look(),
      failed: error => this.#complain(error),
    })
  }

  /** When the first certificate in use ends, milliseconds since the epoch. */
  get expiry(): number {
    return this.#identities.expiry
  }

  /** The default one in use. */
  get identity(): CertificatePair {
    return this.#identities.pair
  }

  start(): Promise<void> {
    return this.#looking.start()
  }

  stop(): Promise<void> {
    return this.#looking.stop()
  }

  /** Takes over what has changed since the last look. */
  async look(): Promise<void> {
    const now = await this.#signature()
    // What lies there at the first look is what the configuration was just read with.
    this.#known ??= now
    if (now === this.#known) return
    try {
      this.#take()
      this.#known = now
    } catch (error) {
      // Certificate and key cannot be replaced in one step: only what is still wrong at the next look is wrong.
      if (now === this.#doubtful) {
        this.#known = now
        this.#complain(error)
      }
      this.#doubtful = now
    }
  }

  /** Reads everything again because somebody says so. @param place where they lie from now on, if elsewhere */
  async reload(place = this.#place): Promise<void> {
    this.#place = place
    this.#known = await this.#signature()
    try {
      this.#take()
    } catch (error) {
      this.#complain(error)
    }
  }

  #take(): void {
    const { use, report, clock } = this.#options
    const identities = this.#place.read(clock())
    use(identities)
    this.#identities = identities
    const { names, expiry } = identities
    report({ kind: 'certificate-reloaded', names, expiry })
  }

  #complain(error: unknown): void {
    const cause = `not reloaded, the ones in use stay: ${messageOf(error)}`
    this.#options.report({ kind: 'relay-fault', part: this.name, cause })
  }

  async #signature(): Promise<string> {
    const states = this.#place.files.map(async file => {
      try {
        const { ino, size, mtimeMs } = await stat(file)
        return `${ino} ${size} ${mtimeMs}`
      } catch (error) {
        return codeOf(error)
      }
    })
    return (await Promise.all(states)).join('\n')
  }
}

/** A keeper of what the relay's file names. */
export function keepCertificates(
  { config, tls }: LoadedRelay,
  report: ReportRelayEvent,
  clock: Clock,
  use: (identities: ServerIdentities) => void,
): CertificateKeeper {
  return new CertificateKeeper({ identities: tls, ...certificatePlace(config), use, report, clock })
}

/** Where the relay's file says that its certificates lie. */
export function certificatePlace(config: LoadedRelay['config']): CertificatePlace {
  return { files: certificateFiles(config), read: now => rereadIdentities(config, now) }
}

/** A keeper of the admin listener's own certificate, where it has one. */
export function keepAdminCertificate(
  { config, admin }: Pick<LoadedRelay | LoadedProbes, 'config' | 'admin'>,
  report: ReportRelayEvent,
  clock: Clock,
  use: (identities: ServerIdentities) => void,
): CertificateKeeper | undefined {
  const { tls } = config.admin
  if (tls === undefined || admin.tls === undefined) return undefined
  return new CertificateKeeper({
    name: 'admin certificate',
    identities: admin.tls,
    files: [tls.certificate, tls.key],
    read: now => rereadAdminCertificate(tls, now),
    use,
    report,
    clock,
  })
}
