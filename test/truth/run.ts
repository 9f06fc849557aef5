import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { createAuthority } from '../../src/base/certificate.ts'
import { Secret } from '../../src/base/secret.ts'
import type { Fault } from '../../src/demo/imap/quirks.ts'
import { SmtpListener, SmtpRefusal, step } from '../../src/demo/smtp-listener.ts'
import { createRemoteTrace } from '../../src/observe/remote-trace.ts'
import type { Probe } from '../../src/probe/catalogue.ts'
import type { ProbeEvent } from '../../src/probe/events.ts'
import type { CanaryRecord, HistoryStore } from '../../src/probe/history.ts'
import type { SmtpOrigin } from '../../src/probe/origin.ts'
import { Prober } from '../../src/probe/prober.ts'
import { submit } from '../../src/probe/sender.ts'
import { mintedAt } from '../../src/probe/token.ts'
import type { MessageTrace } from '../../src/probe/trace.ts'
import { ssha } from '../support/password.ts'
import { freePort } from '../support/ports.ts'
import { makeScratch } from '../support/scratch.ts'
import { eventually } from '../support/server-process.ts'
import { RELAY_NAME, Site } from '../support/site.ts'
import { type Fate, fatesOf, type OriginKind, type Times, type TruthOrigin } from './fates.ts'
import type { Entry } from './ledger.ts'
import { World } from './world.ts'

const KEY = Buffer.from('a key that is only test data')
const PASSWORD = 'canary-demo'
const FROM = 'canary@example.org'

export interface RunOptions {
  readonly canaries: number
  /** Canaries a second. */
  readonly pace: number
  readonly times: Times
  /** Seeds at each provider. */
  readonly seeds: number
  readonly history: HistoryStore
  /** Takes the database away for a moment; absent where it is a file. */
  readonly restartDatabase?: () => Promise<void>
}

export interface RunResult {
  readonly records: readonly (readonly [Entry, CanaryRecord])[]
  readonly events: readonly ProbeEvent[]
}

/** Sends canaries to known fates while things are killed, and gives what was done beside what was judged. */
export async function runTruth(options: RunOptions): Promise<RunResult> {
  const run = await Run.start(options)
  try {
    return await run.all()
  } finally {
    await run.stop()
  }
}

class Run {
  readonly #options: RunOptions
  readonly #folder: string
  readonly #site: Site
  readonly #world: World
  readonly #origins: readonly TruthOrigin[]
  readonly #closers: readonly (() => Promise<void>)[]
  readonly #ledger: Map<string, Entry>
  readonly #events: ProbeEvent[] = []
  readonly #probes: readonly Probe[]
  #prober: Prober
  #killing = false
  #random = 1

  private constructor(parts: {
    readonly options: RunOptions
    readonly folder: string
    readonly site: Site
    readonly world: World
    readonly origins: readonly TruthOrigin[]
    readonly closers: readonly (() => Promise<void>)[]
    readonly ledger: Map<string, Entry>
  }) {
    this.#options = parts.options
    this.#folder = parts.folder
    this.#site = parts.site
    this.#world = parts.world
    this.#origins = parts.origins
    this.#closers = parts.closers
    this.#ledger = parts.ledger
    this.#probes = this.#allProbes()
    this.#prober = this.#newProber()
  }

  static async start(options: RunOptions): Promise<Run> {
    const folder = await makeScratch()
    const site = await Site.create(folder)
    const authority = await createAuthority('truth')
    const ledger = new Map<string, Entry>()
    const world = await World.start(
      { authority, key: KEY, times: options.times, ledger },
      options.seeds,
    )
    await writeFile(join(folder, 'passwords'), `canary:${ssha(PASSWORD)}\n`)
    await site.configure({
      directory: `  domains: [example.org]\n  export_file: {path: ${join(folder, 'passwords')}}`,
      delivery: `  smarthost: {host: 127.0.0.1, port: ${world.port}, tls: none}
  concurrency: 100
  concurrency_per_destination: 50
  retry: [1s, 2s, 5s]`,
    })
    await site.start()
    const { origins, closers } = await originsOf(site)
    return new Run({ options, folder, site, world, origins, closers, ledger })
  }

  async all(): Promise<RunResult> {
    const { canaries, pace, history, restartDatabase } = this.#options
    await this.#prober.start()
    // Each at its share of the run, so that canaries are on their way whatever happens.
    const incidents = new Map<number, () => Promise<void>>([
      [Math.floor(canaries * 0.15), () => this.#outage('yahoo', 'unreadable')],
      [Math.floor(canaries * 0.3), () => this.#outage('gmail', 'drop')],
      [Math.floor(canaries * 0.45), () => this.#killRelay()],
      [Math.floor(canaries * 0.65), () => this.#restartProber()],
      ...(restartDatabase ? [[Math.floor(canaries * 0.8), restartDatabase] as const] : []),
    ])
    const under: Promise<void>[] = []
    for (let i = 0; i < canaries; i++) {
      const incident = incidents.get(i)
      if (incident) under.push(incident())
      this.#send(i)
      // Nobody learns much from an origin that is not there.
      const slower = this.#killing ? 8 : 1
      await new Promise(resolve => setTimeout(resolve, (slower * 1_000) / pace))
    }
    await Promise.all(under)
    const patience = 4 * this.#options.times.deadline + 60_000
    await eventually(
      async () => (await history.undecided()).length === 0 || undefined,
      'a verdict for every canary',
      patience,
    )
    await this.#lateOnes(patience)
    const records: [Entry, CanaryRecord][] = []
    for (const [id, entry] of this.#ledger) {
      const record = await history.find(id)
      // One of which the database never heard was never sent.
      if (record) records.push([entry, record])
    }
    return { records, events: this.#events }
  }

  async stop(): Promise<void> {
    await this.#prober.stop()
    await this.#site.stop()
    await this.#world.stop()
    await Promise.all(this.#closers.map(close => close()))
    await rm(this.#folder, { recursive: true, force: true })
  }

  /** What arrives late is seen later than it is judged. */
  async #lateOnes(patience: number): Promise<void> {
    const { history } = this.#options
    for (const [id, entry] of this.#ledger) {
      if (entry.fate !== 'late' || !entry.taken || entry.blind !== undefined) continue
      await eventually(
        async () => {
          const record = await history.find(id)
          return record?.verdict?.kind !== 'missing' || record.lateAt > 0 || undefined
        },
        'the late ones to be seen',
        patience,
      )
    }
  }

  #send(index: number): void {
    const probe = this.#probes[index % this.#probes.length] as Probe
    const place = this.#world.places.get(probe.seed)
    const kind = this.#origins.find(({ origin }) => origin.name === probe.origin)?.kind ?? 'relay'
    if (place === undefined) throw new Error(`no seed ${probe.seed}`)
    const { blind, profile, offset } = place
    const fates: readonly Fate[] =
      blind === undefined
        ? fatesOf(kind, { gmail: profile.name === 'gmail', clock: offset === 0 })
        : ['inbox', 'lost', 'refused']
    const entry: Entry = {
      fate: fates[Math.floor(this.#chance() * fates.length)] ?? 'inbox',
      kind,
      blind,
      tls: ['hotmail', 'yahoo'].includes(profile.name) ? 'TLSv1.3' : 'yes',
      filed: [],
      taken: false,
      told: 0,
      returnedAt: undefined,
      interrupted: false,
      disturbed: this.#killing,
    }
    const sent = this.#prober.runOnce(probe.name, {
      onStage: stage => {
        if (stage.kind === 'begun') this.#ledger.set(stage.canary.id, entry)
      },
    })
    sent.then(
      ({ canary, verdict }) => {
        if (entry.fate === 'moved' && verdict?.kind === 'arrived')
          this.#world.rescue(canary.seed, canary.id)
      },
      // The prober was stopped, or the database was away: the history tells what became of it.
      () => undefined,
    )
  }

  /** Seeded: the same canaries in every run. */
  #chance(): number {
    this.#random = (this.#random * 48_271) % 2_147_483_647
    return this.#random / 2_147_483_647
  }

  #allProbes(): readonly Probe[] {
    const seeds = [...this.#world.places.values()]
    const usual = this.#origins.filter(({ kind }) => kind === 'relay' || kind === 'untraced')
    const broken = this.#origins.filter(origin => !usual.includes(origin))
    const combinations = [
      ...seeds.flatMap(({ seed }) =>
        usual.flatMap(({ origin }) =>
          ['plain', 'html', 'reply'].map(content => ({ seed, origin, content })),
        ),
      ),
      ...broken.flatMap(({ origin }) =>
        seeds.slice(0, 2).map(({ seed }) => ({ seed, origin, content: 'plain' })),
      ),
    ]
    const probes = combinations.map(({ seed, origin, content }) => ({
      name: `${origin.name}/${seed.name}/${content}`,
      origin: origin.name,
      seed: seed.name,
      content,
      schedule: { kind: 'every', every: 3_600_000, jitter: 0 } as const,
      deadline: this.#options.times.deadline,
    }))
    // Neighbours go to different providers.
    return probes
      .map(probe => ({ probe, at: this.#chance() }))
      .sort((a, b) => a.at - b.at)
      .map(({ probe }) => probe)
  }

  #newProber(): Prober {
    const relay = createRemoteTrace({ url: `http://127.0.0.1:${this.#site.ports.admin}` })
    const trace: MessageTrace = {
      fate: async queueId => {
        try {
          return await relay.fate(queueId)
        } catch (error) {
          this.#disturb()
          throw error
        }
      },
    }
    const traced = new Set(
      this.#origins.filter(({ kind }) => kind === 'relay').map(({ origin }) => origin.name),
    )
    return new Prober({
      history: this.#options.history,
      origins: this.#origins.map(({ origin }) => origin),
      seeds: [...this.#world.places.values()].map(({ seed }) => seed),
      probes: this.#probes,
      bounces: [this.#world.bounces],
      tokenKey: KEY,
      report: event => this.#events.push(event),
      clock: Date.now,
      random: Math.random,
      scheduled: false,
      traceOf: origin => (traced.has(origin) ? trace : undefined),
      submit: async submission => {
        const result = await submit(submission)
        const token = /^X-Reference: (\w{16})-/m.exec(submission.message.toString('latin1'))
        const entry = this.#ledger.get(token?.[1] ?? '')
        if (entry && result.kind === 'rejected') entry.interrupted = this.#killing
        return result
      },
    })
  }

  /** Whatever is on its way may not be told all of. */
  #disturb(): void {
    const since = Date.now() - 3 * this.#options.times.deadline
    for (const [id, entry] of this.#ledger) entry.disturbed ||= mintedAt(id) > since
  }

  /** The seeds of one provider cannot be read, for less than a blind seed is waited for. */
  async #outage(provider: string, fault: Fault): Promise<void> {
    this.#world.suffer(provider, fault)
    await new Promise(resolve => setTimeout(resolve, 0.6 * this.#options.times.deadline))
    this.#world.suffer(provider, 'none')
  }

  async #killRelay(): Promise<void> {
    this.#killing = true
    this.#disturb()
    await this.#site.daemon?.stop('SIGKILL')
    await this.#site.start()
    this.#killing = false
  }

  async #restartProber(): Promise<void> {
    const before = this.#prober
    this.#prober = this.#newProber()
    await before.stop()
    await this.#prober.start()
  }
}

async function originsOf(site: Site): Promise<{
  readonly origins: readonly TruthOrigin[]
  readonly closers: readonly (() => Promise<void>)[]
}> {
  const stranger = await createAuthority('somebody else')
  const pair = await stranger.issue(['localhost', '127.0.0.1'])
  const bad = new SmtpListener(
    { host: '127.0.0.1', port: 0 },
    {
      name: 'old.example.org',
      key: pair.key,
      cert: pair.certificate,
      authOptional: true,
      onAuth: (_, __, callback) => callback(new SmtpRefusal({ code: 535, text: '5.7.8 No' })),
      onRcptTo: (_, __, callback) =>
        step(callback, () => ({ code: 554, text: '5.7.1 Relay access denied' })),
    },
  )
  await bad.start()
  const ca = await readFile(site.certificates.ca, 'utf8')
  const relay = {
    host: '127.0.0.1',
    port: site.ports.submissions,
    tls: 'implicit' as const,
    ca,
    servername: RELAY_NAME,
    username: 'canary',
    password: new Secret(PASSWORD),
    from: FROM,
    bounces: { address: FROM, mailbox: 'returned' },
  }
  const old = { host: '127.0.0.1', port: bad.port, from: FROM }
  const login = { username: 'canary', password: new Secret('wrong') }
  const rows: readonly (readonly [OriginKind, Omit<SmtpOrigin, 'name'>])[] = [
    ['relay', relay],
    ['untraced', relay],
    [
      'login',
      { ...old, tls: 'starttls', ca: stranger.certificate, servername: 'localhost', ...login },
    ],
    ['refused', { ...old, tls: 'none' }],
    ['tls', { ...old, tls: 'starttls', ca }],
    ['unreachable', { ...old, port: await freePort(), tls: 'none' }],
  ]
  return {
    origins: rows.map(([kind, row]) => ({
      kind,
      origin: { ...row, name: kind },
    })),
    closers: [() => bad.stop()],
  }
}
