import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import { newId } from '../../src/base/id.ts'
import { Secret } from '../../src/base/secret.ts'
import { buildReport } from '../../src/mail/dsn.ts'
import type { BounceMailbox } from '../../src/probe/bounce-watcher.ts'
import type { ProberOptions } from '../../src/probe/prober.ts'
import type { Submit } from '../../src/probe/sender.ts'
import { type Dovecot, startDovecot } from '../support/dovecot.ts'
import { makeScratch } from '../support/scratch.ts'
import { missing } from '../support/server-process.ts'
import { ScriptedMailbox, SEED } from './scripted-mailbox.ts'
import { ORIGIN, PROBE, proberOf } from './world.ts'

const RETURNED = 'canary@example.org'

describe.skipIf(missing('dovecot'))('a bounce mailbox that is a real one', () => {
  let scratch: string
  let dovecot: Dovecot

  beforeAll(async () => {
    scratch = await makeScratch()
    const folder = join(scratch, 'imap')
    await mkdir(folder, { mode: 0o755 })
    dovecot = await startDovecot({
      folder,
      name: 'mail.example.org',
      users: { [RETURNED]: 'canary-demo' },
      junk: false,
    })
  })
  afterAll(async () => {
    await dovecot.stop()
    await rm(scratch, { recursive: true, force: true })
  })

  const bounces = (password = 'canary-demo'): BounceMailbox => ({
    name: 'returned',
    imap: {
      host: dovecot.ip,
      port: dovecot.imapsPort,
      ca: dovecot.ca,
      servername: 'mail.example.org',
      username: RETURNED,
      credential: async () => ({ kind: 'password', password: new Secret(password) }),
    },
    pollEvery: 200,
    retryAfter: { least: 50, most: 200 },
  })

  /** An origin that takes everything, and tells some time afterwards that it came to nothing. */
  function returning(kind: 'failed' | 'delayed'): Submit {
    return async ({ to, reversePath = '', clock }) => {
      const at = clock()
      const reply = { code: 550, enhanced: '5.7.26', text: 'This message fails DMARC checks' }
      const report = buildReport({
        kind,
        id: newId(clock),
        hostname: 'old.example.org',
        at,
        to: reversePath,
        recipients: [{ address: to, reply, host: 'mx.example.net', class: 'authentication' }],
        arrivedAt: at,
        originalId: 'Q',
        smtputf8: false,
        originalHeader: Buffer.from('Subject: without a token\r\n'),
        ...(kind === 'delayed' && { retryUntil: at + 60_000 }),
      })
      // Dovecot's LMTP knows the part before the plus sign alone, as a server with sub-addresses does.
      const traced = Buffer.concat([Buffer.from(`X-Original-To: ${reversePath}\r\n`), report])
      await dovecot.deliver(RETURNED, traced)
      return { kind: 'submitted', at, queueId: '' }
    }
  }

  async function verdictOf(options: Partial<ProberOptions>): Promise<unknown> {
    const { prober } = proberOf({
      seeds: [SEED],
      origins: [{ ...ORIGIN, bounces: { address: RETURNED, mailbox: 'returned' } }],
      mailboxFor: () => new ScriptedMailbox(),
      bounces: [bounces()],
      ...options,
    })
    onTestFinished(() => prober.stop())
    await prober.start()
    return (await prober.runOnce(PROBE.name)).verdict
  }

  test('what comes back for a canary is its verdict, long before the deadline', async () => {
    expect(await verdictOf({ submit: returning('failed') })).toEqual({
      kind: 'bounced',
      reply: { code: 550, enhanced: '5.7.26', text: 'This message fails DMARC checks' },
      stage: 'provider-refused',
    })
  })

  test('that it takes longer is no verdict', async () => {
    const probes = [{ ...PROBE, deadline: 800 }]
    expect(await verdictOf({ submit: returning('delayed'), probes })).toEqual({
      kind: 'missing',
      stage: 'submitted',
    })
  })

  test('nothing is called missing while a report may lie where nobody can look', async () => {
    const probes = [{ ...PROBE, deadline: 800 }]
    const began = Date.now()
    const locked = { bounces: [bounces('changed since')], probes }
    expect(await verdictOf({ submit: returning('failed'), ...locked })).toMatchObject({
      kind: 'missing',
    })
    // It was waited for as long again as a canary is.
    expect(Date.now() - began).toBeGreaterThan(1_600)
  })
})
