import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { Daemon } from '../support/daemon.ts'
import { startDnsmasq, type Dnsmasq } from '../support/dnsmasq.ts'
import { ssha } from '../support/password.ts'
import { makeScratch } from '../support/scratch.ts'
import { ScriptedSmtp, type Deed } from '../support/scripted-smtp.ts'
import { eventually, missing } from '../support/server-process.ts'
import { RELAY_NAME, Site } from '../support/site.ts'

const PASSWORD = 'canary-demo'
const ANGRY = '421 4.7.28 [192.0.2.10] Our system has detected an unusual rate of unsolicited mail'

/* The built program, a name server that leads two domains to hosts of Gmail, and a host that objects. */
describe.skipIf(missing('dnsmasq'))('a provider that objects to our rate', () => {
  const deeds: { MAIL: Deed } = { MAIL: ANGRY }
  let folder: string
  let site: Site
  let gmail: ScriptedSmtp
  let names: Dnsmasq

  beforeAll(async () => {
    folder = await makeScratch()
    site = await Site.create(folder)
    gmail = await ScriptedSmtp.start({ deeds })
    names = await startDnsmasq(folder, [
      'mx-host=one.test,aspmx.l.google.com,10',
      'mx-host=two.test,aspmx.l.google.com,10',
      'mx-host=other.test,mx.other.test,10',
      'host-record=aspmx.l.google.com,127.0.0.1',
      'host-record=mx.other.test,127.0.0.1',
    ])
    const passwords = join(folder, 'passwords')
    await writeFile(passwords, `alice:${ssha(PASSWORD)}\n`)
    await site.configure({
      directory: `  domains: [example.org]\n  export_file: {path: ${passwords}}`,
      delivery: `  retry: [1s]
  back_off: {recovery: 2s}
  shaping: {gmail: {connections: 4}}
  direct: {nameservers: ["${names.server}"], port: ${gmail.port}, allow_loopback: true}`,
    })
    await site.start()
  })

  afterAll(async () => {
    await site.stop()
    await gmail.stop()
    await names.stop()
    await rm(folder, { recursive: true, force: true })
  })

  async function send(to: string): Promise<string> {
    const transport = createTransport({
      host: '127.0.0.1',
      port: site.ports.submissions,
      secure: true,
      auth: { user: 'alice', pass: PASSWORD },
      tls: { ca: site.certificates.caPem, servername: RELAY_NAME },
    })
    const { response } = await transport.sendMail({ from: 'alice@example.org', to, text: 'hello' })
    return /queued as (\S+)/.exec(response)?.[1] ?? ''
  }

  const queue = async (...words: string[]): Promise<string> =>
    (await Daemon.run(['queue', ...words, '--state', site.state])).output

  test('gets less at once, all can see it, others do not wait, and it recovers by itself', async () => {
    const id = await send('bob@one.test')
    const level = 'mailcanary_relay_shaping_level'
    await eventually(
      async () => (await site.metric(level, 'provider="gmail"')) > 0,
      'the provider slowed down',
    )
    expect(
      await site.metric('mailcanary_relay_slowed_down_total', 'provider="gmail"'),
    ).toBeGreaterThan(0)
    expect(await queue('list')).toMatch(
      /^SLOWED: gmail: \d of [12] connections? in use, at most \d+ messages? a minute, since it said: 421 4\.7\.28/m,
    )
    expect(await queue('show', id)).toMatch(/^SLOWED: gmail: /m)
    await site.daemon?.line(/shaping.*gmail objects.*421 4\.7\.28/)
    deeds.MAIL = '250 2.1.0 OK'
    // The same host, but for a domain of nobody we know.
    await send('bob@other.test')
    await eventually(
      () => gmail.messages.some(({ rcpt }) => rcpt[0]?.includes('other.test')),
      'the other',
    )
    await send('bob@two.test')
    await eventually(() => gmail.messages.length === 3, 'mail for both domains', 60_000)
    await eventually(
      async () => (await site.metric(level, 'provider="gmail"')) === 0,
      'the full pace again',
      60_000,
    )
    expect(await queue('list')).not.toContain('SLOWED')
    const tls = 'mailcanary_relay_delivered_tls_total'
    expect(await site.metric(tls, 'provider="gmail",tls="none"')).toBe(2)
    expect(await site.metric(tls, 'provider="other",tls="none"')).toBe(1)
  })

  test('a provider that is mistyped in the configuration stops the start', async () => {
    const file = join(folder, 'mistyped.yaml')

    const text = await readFile(site.relayFile, 'utf8')
    await writeFile(
      file,
      text
        .replace('{gmail: {connections', '{gmial: {connections')
        .replace(`state: ${site.state}`, `state: ${join(folder, 'other-state')}`),
    )
    const { code, output } = await Daemon.run(['run', '--relay', file])
    expect(code).toBe(1)
    expect(output).toMatch(
      /mistyped\.yaml:\d+:\d+: delivery\.shaping\.gmial: no provider has this name/,
    )
  })
})
