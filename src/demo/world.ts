import { randomBytes } from 'node:crypto'

import { createAuthority, type Authority } from '../base/certificate.ts'
import { SECOND, type Clock, type Random } from '../base/clock.ts'
import { startInOrder, type Part } from '../base/lifecycle.ts'
import { Secret } from '../base/secret.ts'
import type { Behaviour } from './behaviour.ts'
import { Director, type IncidentEvent } from './director.ts'
import { DirectoryServer } from './directory-server.ts'
import { OldServer } from './old-server.ts'
import { BASE_DN, DEMO_PASSWORD, demoEntries, PEOPLE_DN, SYNC_DN } from './people.ts'
import { openPlace, type Place } from './place.ts'
import { onPort, portsFrom, type PortBase } from './ports.ts'
import { PROFILES } from './profiles.ts'
import { demoResolver, type DemoResolver } from './resolver.ts'
import { Script, type Occurrence, type ScriptOptions } from './script.ts'

export interface DemoWorldOptions {
  readonly host?: string
  /** How far to move every port; 0 if undefined. */
  readonly portBase?: PortBase
  /** Issues every certificate of the world; one of its own if undefined. */
  readonly authority?: Authority
  readonly report: (event: IncidentEvent) => void
  readonly clock: Clock
  readonly random: Random
  readonly script?: ScriptOptions
  /** Password of the login `canary`; a new one if undefined. A relay that kept its snapshot knows the one of before. */
  readonly canaryPassword?: Secret
  /** How long mail takes that is late, milliseconds: longer than the prober waits. */
  readonly lateAfter?: number
}

/** A seed account, as a prober's configuration needs it. */
export interface DemoSeed {
  /** Label of the provider. */
  readonly name: string
  readonly domain: string
  readonly seedAddress: string
  readonly imapHost: string
  readonly imapPort: number
  readonly mxPort: number
  readonly username: string
  readonly password: Secret
}

const LATE_AFTER = 60 * SECOND
const CANARY_LOGIN = 'canary'

/** The embedded world: providers, directory, name service and an old server, all on loopback. */
export class DemoWorld implements Part {
  readonly name = 'demo world'
  readonly canary: { readonly login: string; readonly password: Secret }
  readonly #options: DemoWorldOptions
  readonly #host: string
  readonly #bindPassword = randomSecret()
  readonly #oldPassword = randomSecret()
  #stop: (() => Promise<void>) | undefined
  #running: Running | undefined

  constructor(options: DemoWorldOptions) {
    this.#options = options
    this.canary = { login: CANARY_LOGIN, password: options.canaryPassword ?? randomSecret() }
    this.#host = options.host ?? '127.0.0.1'
  }

  async start(): Promise<void> {
    const { clock, random, report } = this.#options
    const authority = this.#options.authority ?? (await createAuthority('mailcanary demo'))
    const ports = portsFrom(this.#options.portBase ?? 0)
    const host = this.#host
    const password = DEMO_PASSWORD
    const lateAfter = this.#options.lateAfter ?? LATE_AFTER
    const places = await Promise.all(
      PROFILES.map((profile, index) =>
        openPlace({
          profile,
          host,
          mxPort: ports.mx(index),
          imapPort: ports.imap(index),
          authority,
          provider: { password, clock, random, lateAfter },
        }),
      ),
    )
    const directory = new DirectoryServer({
      host,
      port: ports.directory,
      entries: demoEntries(this.canary.password.reveal()),
      bindPassword: this.#bindPassword,
    })
    const oldServer = new OldServer({
      host,
      port: ports.oldServer,
      certificate: await authority.issue(['old.example.org', 'localhost', host]),
      username: CANARY_LOGIN,
      password: this.#oldPassword.reveal(),
      providers: places.map(({ provider }) => provider),
      clock,
      random,
    })
    const director = new Director({
      script: new Script(clock(), this.#options.script),
      clock,
      report,
      actors: new Map([
        ...places.map(place => [place.profile.name, place.behave] as const),
        ['old-server', (behaviour: Behaviour) => oldServer.behave(behaviour)],
      ]),
    })
    this.#running = {
      authority,
      places,
      directory,
      oldServer,
      director,
      resolver: demoResolver(
        places.map(({ profile, mx }) => ({
          domains: profile.domains,
          host: profile.mxHost,
          address: host,
          port: () => mx.port,
        })),
      ),
    }
    this.#stop = await startInOrder([
      ...places.flatMap(({ parts }) => parts),
      onPort(directory, ports.directory),
      onPort(oldServer, ports.oldServer),
      director,
    ])
  }

  async stop(): Promise<void> {
    await this.#stop?.()
  }

  /** PEM of the authority that signed every certificate here. */
  get ca(): string {
    return this.#up.authority.certificate
  }

  /** gmail, hotmail, yahoo, and `other`, which takes mail for anybody at example.net and example.org. */
  get providers(): readonly DemoSeed[] {
    return this.#up.places.map(({ profile, provider, mx, imap }) => ({
      name: profile.name,
      domain: profile.domains[0],
      seedAddress: provider.seedAddress,
      imapHost: profile.imapHost,
      imapPort: imap.port,
      mxPort: mx.port,
      username: provider.account.username,
      password: new Secret(provider.account.password),
    }))
  }

  get ldap(): {
    url: string
    baseDn: string
    peopleDn: string
    bindDn: string
    bindPassword: Secret
  } {
    return {
      url: this.#up.directory.url,
      baseDn: BASE_DN,
      peopleDn: PEOPLE_DN,
      bindDn: SYNC_DN,
      bindPassword: this.#bindPassword,
    }
  }

  get resolver(): DemoResolver {
    return this.#up.resolver
  }

  /** An origin to compare with: submission with STARTTLS, certificate for old.example.org. */
  get oldServer(): { host: string; port: number; username: string; password: Secret } {
    return {
      host: this.#host,
      port: this.#up.oldServer.port,
      username: CANARY_LOGIN,
      password: this.#oldPassword,
    }
  }

  /** What is going wrong at this time, milliseconds since the epoch. */
  incidents(at: number): Occurrence[] {
    return this.#up.director.script.incidents(at)
  }

  /** What went or will go wrong in this time: notes for graphs. */
  incidentsBetween(from: number, until: number): Occurrence[] {
    return this.#up.director.script.between(from, until)
  }

  /** Takes a provider (or `old-server`) out of the script: it behaves like this until told otherwise. */
  behave(name: string, behaviour: Behaviour): void {
    this.#up.director.overrule(name, behaviour)
  }

  get #up(): Running {
    if (!this.#running) throw new Error('the demo world has not been started')
    return this.#running
  }
}

interface Running {
  readonly authority: Authority
  readonly places: readonly Place[]
  readonly directory: DirectoryServer
  readonly oldServer: OldServer
  readonly director: Director
  readonly resolver: DemoResolver
}

function randomSecret(): Secret {
  return new Secret(randomBytes(18).toString('base64url'))
}
