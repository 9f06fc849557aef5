import { Writable } from 'node:stream'

import { startApp } from '../../src/app.ts'
import { createAuthority } from '../../src/base/certificate.ts'
import { SECOND } from '../../src/base/clock.ts'
import { StateFolder } from '../../src/base/state-folder.ts'
import {
  demoPorts,
  demoProbes,
  demoRelay,
  writeDemoFiles,
} from '../../src/cli/demo-configuration.ts'
import { demoProviders } from '../../src/demo/profiles.ts'
import { DemoWorld, type DemoWorldOptions } from '../../src/demo/world.ts'
import { PROVIDERS } from '../../src/mail/providers.ts'
import { createLog } from '../../src/observe/log.ts'
import { anyPortBase } from './ports.ts'

export interface DemoApp {
  readonly world: DemoWorld
  readonly adminPort: number
  stop(): Promise<void>
}

/**
 * The demo within this process, with a canary from every origin to every seed each second, and a script of its own.
 *
 * @param deadline of the probes, milliseconds; the demo's unless told
 */
export async function startDemoApp(
  state: string,
  script: NonNullable<DemoWorldOptions['script']>,
  deadline?: number,
): Promise<DemoApp> {
  const authority = await createAuthority('mailcanary demo')
  const world = new DemoWorld({
    authority,
    portBase: 'any',
    clock: Date.now,
    random: Math.random,
    report: () => undefined,
    script,
  })
  await world.start()
  const folder = await StateFolder.open(state)
  const ports = demoPorts(await anyPortBase())
  const probes = demoProbes(world, ports, state)
  const tls = await authority.issue(['relay.example.org', '127.0.0.1'])
  await writeDemoFiles(world, tls, ports, state)
  const app = await startApp({
    relay: demoRelay(world, tls, ports, state),
    probes: {
      ...probes,
      config: {
        ...probes.config,
        probes: probes.config.probes.map(probe => ({
          ...probe,
          every: SECOND,
          jitter: 0,
          deadline: deadline ?? probe.deadline,
        })),
      },
    },
    folder,
    log: createLog({
      format: 'human',
      level: 'info',
      stream: new Writable({ write: (_chunk, _encoding, done) => done() }),
      colour: false,
      clock: Date.now,
      pseudonym: name => name,
    }),
    version: '0.1.0',
    daemon: true,
    providers: demoProviders(PROVIDERS),
    resolver: world.resolver,
    clock: Date.now,
    random: Math.random,
  })
  return {
    world,
    adminPort: ports.admin,
    async stop() {
      await app.stop()
      await world.stop()
      folder.close()
    },
  }
}
