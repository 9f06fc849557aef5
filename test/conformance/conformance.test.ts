import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { launch, PASSWORD, run, type Running } from '../relay/submission/fixture.ts'
import { find, type Finding } from './check.ts'
import { CHECKS } from './checks/all.ts'
import { EXCUSED } from './excused.ts'
import { segments } from './segments.ts'

const NEEDS_CLEAR_TEXT = new Set(['T02', 'T04', 'T05', 'T08', 'A01', 'A02', 'P04'])

describe.each([
  ['implicit', undefined],
  ['starttls', undefined],
  ['starttls', 'cut into random segments'],
] as const)('the submission server over %s TLS %s', (tls, cut) => {
  let running: Running
  beforeAll(async () => {
    running = await launch({
      limits: {
        messageBytes: 200_000,
        recipients: 150,
        wrongLogins: 1_000,
        loginDelay: 0,
        connectionsPerNetwork: 1_000,
      },
    })
  })
  afterAll(() => running.server.stop())

  it.each(CHECKS)('$id: $statement ($source)', async check => {
    const finding = await find(check, {
      endpoint: running[tls],
      login: 'alice',
      password: PASSWORD,
      sender: 'alice@example.org',
      recipient: 'bob@example.net',
      drastic: check.id === 'A16',
      stored: marker =>
        running.store.messages
          .filter(({ body }) => body.includes(marker))
          .map(({ message, body }) => ({
            content: body,
            recipients: message.envelope.recipients.map(r => r.address),
            eightBit: message.envelope.eightBit,
          })),
      ...(cut === undefined ? {} : { cut: segments(check.id) }),
    })
    const open =
      EXCUSED.has(check.id) ||
      (tls === 'implicit' && NEEDS_CLEAR_TEXT.has(check.id)) ||
      (cut !== undefined && check.id === 'P05')
    const wanted: Finding['outcome'][] = open ? ['inconclusive', 'conformant'] : ['conformant']
    expect(wanted, finding.detail).toContain(finding.outcome)
  })
})

describe('test/conformance/run', () => {
  it('prints what it found, and how often', async () => {
    const { implicit } = await run()
    const command = (...more: string[]): Promise<{ stdout: string }> =>
      promisify(execFile)(
        new URL('run', import.meta.url).pathname,
        ['127.0.0.1', String(implicit.port), 'alice', '--tls', 'implicit', ...more],
        { env: { ...process.env, MAILCANARY_PASSWORD: PASSWORD } },
      )
    const { stdout } = await command('--sender', 'alice@example.org', '--only', 'E01')
    expect(stdout).toMatch(/^ok +E01 +M /)
    expect(stdout).toContain('1 conformant, 0 non-conformant, 0 latitude, 0 inconclusive')
    // Somebody who may not send has no transaction, and the questions stay open.
    const foreign = await command('--sender', 'carol@example.org', '--only', 'D07')
    expect(foreign.stdout).toContain('0 conformant, 0 non-conformant, 0 latitude, 1 inconclusive')
  })
})
