import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { readReport } from '../../src/mail/report-reader.ts'
import { ssha } from '../support/password.ts'
import { postfixNeedsRoot, startPostfix, type Postfix } from '../support/postfix.ts'
import { makeScratch } from '../support/scratch.ts'
import { eventually, missing } from '../support/server-process.ts'
import { RELAY_NAME, Site } from '../support/site.ts'

const skip = missing('postfix') ?? postfixNeedsRoot()
const PASSWORD = 'canary-demo'

describe.skipIf(skip)('a recipient whom the next hop refuses', () => {
  let folder: string
  let site: Site
  let next: Postfix

  beforeAll(async () => {
    folder = await makeScratch()
    site = await Site.create(folder)
    const refusing = join(folder, 'refusing')
    await writeFile(refusing, '/^nobody@/ 550 5.1.1 nobody of that name lives here\n')
    next = await startPostfix(await makeScratch(), {
      domains: ['example.net', 'example.org'],
      settings: {
        smtpd_recipient_restrictions: `check_recipient_access regexp:${refusing}, permit`,
      },
    })
    const passwords = join(folder, 'passwords')
    await writeFile(passwords, `alice:${ssha(PASSWORD)}\n`)
    await site.configure({
      directory: `  domains: [example.org]\n  export_file: {path: ${passwords}}`,
      delivery: `  smarthost: {host: ${next.address}, port: ${next.port}, tls: none}`,
    })
    await site.start()
  })

  afterAll(async () => {
    await site.stop()
    await next.stop()
    await rm(folder, { recursive: true, force: true })
  })

  test('comes back to the sender as a report in the remote’s own words; the others get the mail', async () => {
    const transport = createTransport({
      host: '127.0.0.1',
      port: site.ports.submissions,
      secure: true,
      auth: { user: 'alice', pass: PASSWORD },
      tls: { ca: site.certificates.caPem, servername: RELAY_NAME },
    })
    await transport.sendMail({
      from: 'alice@example.org',
      to: ['bob@example.net', 'nobody@example.net'],
      subject: 'to two',
      text: 'Hello',
    })
    transport.close()
    const received = async (pattern: RegExp): Promise<Buffer> =>
      eventually(
        async () => (await next.messages()).find(raw => pattern.test(String(raw))),
        String(pattern),
      )
    await received(/^Delivered-To: bob@example\.net[^]*^Subject: to two/m)
    const raw = await received(/report-type=delivery-status/)
    expect(String(raw)).toMatch(/^Return-Path: <>/m)
    expect(String(raw)).toMatch(/^Delivered-To: alice@example\.org/m)
    const report = readReport(Buffer.from(String(raw).replaceAll('\n', '\r\n')))
    expect(report?.recipients).toEqual([
      expect.objectContaining({
        finalRecipient: 'nobody@example.net',
        action: 'failed',
        status: '5.1.1',
        diagnostic: expect.stringContaining('nobody of that name lives here') as string,
      }),
    ])
  })
})
