import { readFile } from 'node:fs/promises'

import { expect } from 'vitest'

import { Daemon } from '../support/daemon.ts'
import type { RootSystem } from './root-system.ts'

/**
 * Runs the ExecStart of the installed unit as systemd would: its user, its rights, its folders.
 *
 * @param adminPort of the configuration, by which it says that it is ready
 */
export async function startUnit(system: RootSystem, adminPort: number): Promise<Daemon> {
  const unit = await readFile(system.path('/lib/systemd/system/mailcanary.service'), 'utf8')
  const line = /^ExecStart=(.*)$/m.exec(unit)?.[1] ?? ''
  const words = line.replace('$MAILCANARY_OPTIONS', '').trim().split(/ +/)
  const user = /^User=(.*)$/m.exec(unit)?.[1] ?? ''
  expect(unit).toMatch(/^AmbientCapabilities=CAP_NET_BIND_SERVICE$/m)
  expect(unit).toMatch(/^ProtectSystem=strict$/m)
  const writable = [`/var/lib/${user}`, '/tmp']
  const daemon = Daemon.startAs(system.command(words, { user, lowPorts: true, writable }))
  try {
    await daemon.ready(adminPort)
  } catch (error) {
    await daemon.stop()
    throw error
  }
  return daemon
}
