import { rm } from 'node:fs/promises'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { postfixNeedsRoot } from '../support/postfix.ts'
import {
  OTHER_ADDRESS,
  PASSWORD,
  startRelayAndKeeper,
  type RelayAndKeeper,
} from '../support/relay-and-keeper.ts'
import { makeScratch } from '../support/scratch.ts'
import { missing } from '../support/server-process.ts'
import { Thunderbird, type OutgoingServer } from '../support/thunderbird.ts'

const skip = missing('thunderbird', 'postfix') ?? postfixNeedsRoot()

const TEXT = 'Hello Bob,\n\n.hidden\n.\n..\nGrüße\n'

describe.skipIf(skip)('Thunderbird', () => {
  let relay: RelayAndKeeper
  let thunderbird: Thunderbird

  // What was started is stopped, also where the next did not start.
  const ends: (() => Promise<void>)[] = []
  beforeAll(async () => {
    const folder = await makeScratch()
    ends.unshift(() => rm(folder, { recursive: true, force: true }))
    relay = await startRelayAndKeeper(['alice'])
    ends.unshift(() => relay.stop())
    thunderbird = await Thunderbird.start(folder, { address: 'alice@example.org', name: 'Alice' })
    ends.unshift(() => thunderbird.stop())
    await thunderbird.trust(relay.site.certificates.caPem)
  })
  afterAll(async () => {
    for (const end of ends) await end()
  })

  const place = (security: OutgoingServer['security'], host = 'localhost'): OutgoingServer => {
    const { submissions, submission } = relay.site.ports
    return { host, security, port: security === 'SSL/TLS' ? submissions : submission }
  }
  const message = (subject: string, from = 'alice@example.org') => ({
    from: `Alice <${from}>`,
    to: 'bob@example.net',
    subject,
    text: TEXT,
    password: PASSWORD,
  })

  test.each(['SSL/TLS', 'STARTTLS'] as const)(
    'sends over %s, and all of it arrives',
    async security => {
      const subject = `Thunderbird over ${security}`
      expect(await thunderbird.send(place(security), message(subject))).toBe('')
      const mail = await relay.arrived(new RegExp(`^Subject: ${subject}$`, 'm'))
      expect(mail).toMatch(/^From: Alice <alice@example\.org>$/m)
      expect(mail.slice(mail.indexOf('\n\n') + 2)).toBe(TEXT)
    },
  )

  test('shows the reply when the sender is somebody else, and sends the next one', async () => {
    const before = await relay.accepted()
    const stranger = message('by a stranger', 'mallory@example.org')
    expect(await thunderbird.send(place('SSL/TLS'), stranger)).toMatch(
      /The mail server responded: Sender mallory@example\.org is not yours\. You may send as alice@example\.org/,
    )
    expect(await relay.accepted()).toBe(before)
    expect(await thunderbird.send(place('SSL/TLS'), message('after the stranger'))).toBe('')
    await relay.arrived(/^Subject: after the stranger$/m)
  })

  test('says no password where the certificate has another name', async () => {
    const logins = await relay.logins()
    const sent = await thunderbird.send(place('SSL/TLS', OTHER_ADDRESS), message('elsewhere'))
    expect(sent).toMatch(/certificate/i)
    expect(await relay.logins()).toBe(logins)
  })
})
