import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'

import { startApp, type App } from '../app.ts'
import { probeNow } from '../app/probe-now.ts'
import { Pseudonyms } from '../app/pseudonyms.ts'
import { writeAtomically } from '../base/atomic-file.ts'
import { createAuthority } from '../base/certificate.ts'
import { DAY } from '../base/clock.ts'
import { formatDuration } from '../base/duration.ts'
import { codeOf } from '../base/problem.ts'
import { Secret } from '../base/secret.ts'
import { StateFolder } from '../base/state-folder.ts'
import { DEMO_DIRECTORY_PASSWORD } from '../demo/people.ts'
import { demoProviders } from '../demo/profiles.ts'
import { DemoWorld } from '../demo/world.ts'
import { PROVIDERS } from '../mail/providers.ts'
import { createLog, wantsColour } from '../observe/log.ts'
import { VERDICT_LABELS } from '../probe/model.ts'
import {
  writeDemoFiles,
  demoPorts,
  demoProbes,
  demoRelay,
  type DemoPorts,
} from './demo-configuration.ts'
import { stopRequest } from './stop-request.ts'

export interface DemoOptions {
  readonly state: string
  /** Milliseconds after which it ends. */
  readonly for?: number
  readonly portBase: number
}

/** Runs the demo until it is told to stop, or until its time is over. */
export async function runDemo(options: DemoOptions, version: string): Promise<void> {
  const stopping = stopRequest()
  const folder = await StateFolder.open(options.state)
  const pseudonyms = await Pseudonyms.open(folder.file('pseudonym.keys'), {
    retention: DAY,
    clock: Date.now,
  })
  const log = createLog({
    format: 'human',
    level: 'info',
    stream: process.stdout,
    colour: wantsColour(process.stdout, process.env),
    clock: Date.now,
    pseudonym: name => pseudonyms.of(name),
  })
  const authority = await createAuthority('mailcanary demo')
  const world = new DemoWorld({
    authority,
    canaryPassword: await keptSecret(folder.file('canary-password')),
    portBase: options.portBase,
    clock: Date.now,
    random: Math.random,
    report: ({ kind, what }) =>
      log.say(`${kind === 'incident-began' ? 'in the script:' : 'over:'} ${what}`),
  })
  const began = Date.now()
  try {
    await world.start()
    const ports = demoPorts(options.portBase)
    const tls = await authority.issue(['relay.example.org', 'localhost', '127.0.0.1'])
    await writeDemoFiles(world, tls, ports, folder.path)
    const app = await startApp({
      relay: demoRelay(world, tls, ports, folder.path),
      probes: demoProbes(world, ports, folder.path),
      folder,
      log,
      version,
      daemon: true,
      providers: demoProviders(PROVIDERS),
      resolver: world.resolver,
      clock: Date.now,
      random: Math.random,
      pseudonyms,
    })
    try {
      process.stdout.write(welcome(ports, world.providers[0]?.imapPort ?? 0, folder.path))
      await showSomething(app)
      await Promise.race([stopping, options.for === undefined ? never() : after(options.for)])
      if (options.for !== undefined) process.stdout.write(await summary(app, began))
    } finally {
      await app.stop()
    }
  } finally {
    await world.stop()
    folder.close()
  }
  process.stdout.write(`Ended. Queue and history are in ${folder.path}\n`)
}

/** A secret of this state folder: made at the first start, the same at every later one. */
async function keptSecret(path: string): Promise<Secret> {
  try {
    return new Secret(await readFile(path, 'utf8'))
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    const secret = new Secret(randomBytes(18).toString('base64url'))
    await writeAtomically(path, secret.reveal())
    return secret
  }
}

function welcome(ports: DemoPorts, imap: number, state: string): string {
  return `
  mailcanary demo: a relay, a prober, and a small world of providers that misbehave by a script.

    Status page      http://127.0.0.1:${ports.admin}/?range=15m
    What all may see http://127.0.0.1:${ports.publicWeb}/status?range=15m
    Client set-up    http://127.0.0.1:${ports.publicWeb}/
    Your account     http://127.0.0.1:${ports.publicWeb}/account (login alice, password of the account ${DEMO_DIRECTORY_PASSWORD})
    Send mail        127.0.0.1:${ports.submission} (STARTTLS) or :${ports.submissions} (TLS), login alice, password canary-demo,
                     from alice@example.org to seed@gmail.example
    Read it          127.0.0.1:${imap} (IMAP over TLS), login seed@gmail.example, password canary-demo
    State            ${state} (ca.pem there is what clients have to trust)
    Commands         mailcanary queue list --state ${state}; relay.yaml and probes.yaml are there too, for those that take
                     --relay and --probes: what the alerts' sections in docs/operating.md name can be tried

  Ctrl-C ends it. What happens:

`
}

/** A demo that goes on where it ended would wait for its next slot: nobody should have to look at nothing. */
async function showSomething({ probing }: App): Promise<void> {
  if (probing === undefined || (await probing.history.list({ limit: 1 })).length === 0) return
  probeNow(probing, 'everyone', Date.now).resume()
}

/** What became of the canaries of this run, as a table. */
async function summary(app: App, since: number): Promise<string> {
  const tallies = (await app.probing?.history.tally(since, Date.now() + 1, 0)) ?? []
  const rows = tallies.map(({ origin, provider, counts }) => {
    const n = VERDICT_LABELS.reduce((sum, verdict) => sum + counts[verdict], 0)
    return [origin, provider, String(n), ...VERDICT_LABELS.map(verdict => String(counts[verdict]))]
  })
  const table = [['origin', 'provider', 'n', ...VERDICT_LABELS], ...rows]
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map(row => (row[column] ?? '').length)),
  )
  const lines = table.map(row =>
    row
      .map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  '),
  )
  return `\nVerdicts in ${formatDuration(Date.now() - since)}:\n\n${lines.map(line => `  ${line}\n`).join('')}\n`
}

function after(milliseconds: number): Promise<void> {
  // Unreferenced: a stop before the time must not have to wait for it.
  return new Promise(resolve => setTimeout(resolve, milliseconds).unref())
}

function never(): Promise<void> {
  return new Promise(() => undefined)
}
