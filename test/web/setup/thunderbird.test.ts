import { rm } from 'node:fs/promises'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { ServerIdentities } from '../../../src/base/server-tls.ts'
import type { ClientSettings } from '../../../src/mail/client-settings.ts'
import { PublicServer } from '../../../src/web/public-server.ts'
import { setupRoutes } from '../../../src/web/setup/setup-routes.ts'
import { testCertificates } from '../../support/certificates.ts'
import { clientSettingsOf } from '../../support/client-settings.ts'
import { makeScratch } from '../../support/scratch.ts'
import { missing } from '../../support/server-process.ts'
import { Thunderbird } from '../../support/thunderbird.ts'

/* Thunderbird itself looks for its settings at the domain of an address, over https at the port that is for that. */

// Whatever name is looked up is at this address, and nobody else's test is.
const HERE = '127.0.90.25'
const skip =
  missing('thunderbird') ?? (process.getuid?.() === 0 ? undefined : 'port 443 is for root alone')

describe.skipIf(skip)('Thunderbird', () => {
  const ends: (() => Promise<unknown>)[] = []
  let thunderbird: Thunderbird
  let identities: ServerIdentities

  beforeAll(async () => {
    const folder = await makeScratch()
    ends.unshift(() => rm(folder, { recursive: true, force: true }))
    const certificates = await testCertificates(folder)
    const { certificatePem, keyPem } = await certificates.issue(
      'relay.example.org',
      'example.org',
      'autoconfig.example.org',
    )
    identities = new ServerIdentities([{ certificate: certificatePem, key: keyPem }])
    thunderbird = await Thunderbird.start(
      folder,
      { address: 'bob@example.org', name: 'Bob' },
      {
        'network.dns.forceResolve': HERE,
        'mailnews.mx_service_url': '',
        'mailnews.auto_config_url': '',
      },
    )
    ends.unshift(() => thunderbird.stop())
    await thunderbird.trust(certificates.caPem)
  })
  afterAll(async () => {
    for (const end of ends) await end()
  })

  /** What Thunderbird makes of an organisation's public server. */
  async function setUp(changes: Partial<ClientSettings>): Promise<unknown> {
    const facts = clientSettingsOf(changes)
    const routes = setupRoutes({ facts, identity: () => identities.pair, clock: Date.now })
    const server = new PublicServer({ host: HERE, port: 443, tls: identities, routes: [routes] })
    await server.start()
    try {
      return await thunderbird.setUpAccount('alice@example.org')
    } finally {
      await server.stop()
    }
  }

  test('takes what the domain says, and has an account with both servers', async () => {
    expect(await setUp({})).toEqual({
      source: 'xml',
      identity: 'alice@example.org',
      incoming: {
        type: 'imap',
        host: 'imap.example.org',
        port: 993,
        security: 3,
        username: 'alice@example.org',
      },
      outgoing: { host: 'relay.example.org', port: 465, security: 3, username: 'alice', method: 3 },
      alternatives: [['relay.example.org', 587]],
    })
  })

  test('is told that there is nothing where there are no mailboxes', async () => {
    expect(await setUp({ incoming: [] })).toEqual({ refused: expect.any(String) as string })
  })
})
