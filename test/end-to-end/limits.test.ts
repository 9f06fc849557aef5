import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { Daemon } from '../support/daemon.ts'
import { ssha } from '../support/password.ts'
import { freePort } from '../support/ports.ts'
import { postfixNeedsRoot, startPostfix, type Postfix } from '../support/postfix.ts'
import { makeScratch } from '../support/scratch.ts'
import { eventually, missing } from '../support/server-process.ts'
import { RELAY_NAME, Site } from '../support/site.ts'

const skip = missing('postfix') ?? postfixNeedsRoot()

const PASSWORD = 'canary-demo'

describe.skipIf(skip)('a stolen password', () => {
  let folder: string
  let site: Site
  let keeper: Postfix
  let satellite: Postfix
  let localPort: number
  /** Subjects of everything that was answered with 250. */
  const taken: string[] = []

  beforeAll(async () => {
    folder = await makeScratch()
    site = await Site.create(folder)
    keeper = await startPostfix(await makeScratch(), { domains: ['example.net'] })
    localPort = await freePort()
    const intranetPort = await freePort()
    satellite = await startPostfix(await makeScratch(), {
      domains: [],
      settings: { relayhost: `[127.0.0.1]:${intranetPort}`, default_transport: 'smtp' },
    })
    const passwords = join(folder, 'passwords')
    await writeFile(passwords, `alice:${ssha(PASSWORD)}\ncarol:${ssha(PASSWORD)}\n`)
    await site.configure({
      directory: `  domains: [example.org]\n  export_file: {path: ${passwords}}`,
      delivery: `  smarthost: {host: ${keeper.address}, port: ${keeper.port}, tls: none}\n  retry: [1s]`,
      listen: `  local:
    - {address: "127.0.0.1:${localPort}", principal: cron, addresses: [root@example.org]}
    - {address: "127.0.0.1:${intranetPort}", principal: intranet, addresses: ["@example.org"], networks: [127.0.0.0/8]}`,
      limits: `  per_login: {messages_per_hour: 5, new_recipients_per_day: 100}
  logins: {carol: {messages_per_hour: none}, cron: {over: defer, messages_per_hour: 1}}`,
    })
    await site.start()
  })

  afterAll(async () => {
    await site.stop()
    await keeper.stop()
    await satellite.stop()
    await rm(folder, { recursive: true, force: true })
  })

  async function send(login: string, subject: string): Promise<void> {
    const transport = createTransport({
      host: '127.0.0.1',
      port: site.ports.submissions,
      secure: true,
      auth: { user: login, pass: PASSWORD },
      tls: { ca: site.certificates.caPem, servername: RELAY_NAME },
    })
    const from = `${login}@example.org`
    await transport.sendMail({ from, to: 'bob@example.net', subject, text: 'hello' })
    taken.push(subject)
    transport.close()
  }

  function cron(subject: string): Promise<unknown> {
    const transport = createTransport({ host: '127.0.0.1', port: localPort, ignoreTLS: true })
    const from = 'root@example.org'
    return transport.sendMail({ from, to: 'bob@example.net', subject, text: 'done' })
  }

  function inState(state: string): Promise<number> {
    return site.metric('mailcanary_relay_queue_messages', `state="${state}"`)
  }

  async function delivered(count: number): Promise<readonly string[]> {
    return eventually(async () => {
      const raw = await keeper.messages()
      if (raw.length < count) return undefined
      return raw.map(message => /^Subject: (.*)$/m.exec(String(message))?.[1] ?? '')
    }, `${count} messages at the next hop`)
  }

  test('is held after its limit, and the admin is told by metric and log without a name', async () => {
    for (let i = 0; i < 8; i++) await send('alice', `spam-${i}`)
    expect(await inState('held')).toBe(3)
    const limited = 'limit="messages_per_hour",action="hold"'
    expect(await site.metric('mailcanary_relay_limited_total', limited)).toBe(3)
    await site.daemon?.line(/over 5 messages per hour, message held/)
    expect(site.said).not.toContain('alice')
    expect(await delivered(5)).toHaveLength(5)
  })

  test('does not stop anybody else', async () => {
    for (let i = 0; i < 8; i++) await send('carol', `work-${i}`)
    expect(await inState('held')).toBe(3)
    expect(await delivered(13)).toHaveLength(13)
  })

  test('does not come free by a restart, not even one by kill -9', async () => {
    // What the next hop has and the relay has not written down yet would rightly come twice.
    await eventually(
      async () => ((await inState('queued')) + (await inState('active')) === 0 ? true : undefined),
      'the results of all deliveries',
    )
    site.daemon?.signal('SIGKILL')
    await site.daemon?.ended
    await site.start()
    await send('alice', 'spam-8')
    expect(await inState('held')).toBe(4)
    await site.stop()
    await site.start()
    await send('alice', 'spam-9')
    expect(await inState('held')).toBe(5)
  })

  test('an application of this host sends without one, within limits of its own', async () => {
    await cron('backup-1')
    taken.push('backup-1')
    await expect(cron('backup-2')).rejects.toThrow(
      /450 4\.7\.0 The limit of 1 message an hour is reached, try again after 20/,
    )
    expect(await delivered(14)).toContain('backup-1')
  })

  test('another mail server of the house relays what it is given', async () => {
    await satellite.sendmail(
      ['-f', 'printer@example.org', 'bob@example.net'],
      'From: printer@example.org\nTo: bob@example.net\nSubject: toner\n\nlow\n',
    )
    taken.push('toner')
    expect(await delivered(15)).toContain('toner')
  })

  test('costs nothing that was legitimate: one command lets all of it go', async () => {
    const { code, output } = await Daemon.run([
      'queue',
      'release',
      '--login=alice',
      '--state=held',
      `--relay=${site.relayFile}`,
    ])
    expect(code, output).toBe(0)
    expect((await delivered(taken.length)).toSorted()).toEqual(taken.toSorted())
    await eventually(async () => ((await inState('held')) === 0 ? true : undefined), 'nothing held')
  })
})
