import { appendFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connect } from 'node:tls'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { DAY, SECOND } from '../../src/base/clock.ts'
import { WireClient } from '../conformance/wire-client.ts'
import { ssha } from '../support/password.ts'
import { freePort } from '../support/ports.ts'
import { makeScratch } from '../support/scratch.ts'
import { RELAY_NAME, Site } from '../support/site.ts'

const PASSWORD = 'canary-demo'

let folder: string
let site: Site
let web: number

beforeAll(async () => {
  folder = await makeScratch()
  site = await Site.create(folder)
  web = await freePort('0.0.0.0')
  const passwords = join(folder, 'passwords')
  await writeFile(passwords, `alice:${ssha(PASSWORD)}\n`)
  await site.configure({
    directory: `  domains: [example.org]\n  export_file: {path: ${passwords}}`,
    delivery: `  smarthost: {host: 127.0.0.1, port: ${await freePort()}, tls: none}`,
  })
  await appendFile(site.relayFile, `web: {listen: "0.0.0.0:${web}"}\n`)
  await site.start()
})

afterAll(async () => {
  await site.stop()
  await rm(folder, { recursive: true, force: true })
})

/** What a client that knows our authority is shown. */
function namesAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, servername: RELAY_NAME, ca: site.certificates.caPem }
    const socket = connect(options, () => {
      resolve(socket.getPeerCertificate().subjectaltname ?? '')
      socket.destroy()
    })
    socket.once('error', reject)
  })
}

test('renewed certificates are taken over on SIGHUP without a restart, and no session ends', async () => {
  const session = await WireClient.greeted({
    host: '127.0.0.1',
    port: site.ports.submissions,
    tls: 'implicit',
  })
  expect((await session.logIn('alice', PASSWORD)).code).toBe(235)
  expect(await namesAt(site.ports.submissions)).not.toContain('smtp.example.org')

  await site.certificates.issue(RELAY_NAME, 'smtp.example.org')
  site.daemon?.signal('SIGHUP')
  await site.daemon?.line(/renewed certificate in use: relay\.example\.org, smtp\.example\.org/)
  expect(await namesAt(site.ports.submissions)).toContain('DNS:smtp.example.org')
  expect(await namesAt(web)).toContain('DNS:smtp.example.org')

  // In the middle of a broken renewal nothing changes, and the log says why.
  const { key } = await site.certificates.issue(RELAY_NAME)
  await writeFile(key, 'half a key')
  site.daemon?.signal('SIGHUP')
  await site.daemon?.line(/certificates.*not reloaded, the ones in use stay: tls: /)
  expect(await namesAt(site.ports.submissions)).toContain('DNS:smtp.example.org')
  expect(await namesAt(web)).toContain('DNS:smtp.example.org')
  const left = await site.metric('mailcanary_certificate_expiry_seconds')
  expect(left).toBeGreaterThan((29 * DAY) / SECOND)

  expect((await session.command('MAIL FROM:<alice@example.org>')).code).toBe(250)
  expect((await session.command('QUIT')).code).toBe(221)
})
