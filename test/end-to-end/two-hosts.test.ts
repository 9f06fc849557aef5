import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { Daemon } from '../support/daemon.ts'
import { startDnsmasq } from '../support/dnsmasq.ts'
import { startDovecot } from '../support/dovecot.ts'
import { ssha } from '../support/password.ts'
import { freePort } from '../support/ports.ts'
import { postfixNeedsRoot, startPostfix } from '../support/postfix.ts'
import { makeScratch } from '../support/scratch.ts'
import { ScriptedSmtp } from '../support/scripted-smtp.ts'
import { eventually, missing } from '../support/server-process.ts'
import { RELAY_NAME, Site } from '../support/site.ts'

/*
 * docs/operating.md, "A prober on another host": a relay without a prober, a prober without a relay, and nothing between
 * them but SMTP and the admin listener over TLS. A Postfix takes mail for everybody; what it cannot hand on comes back to
 * a mailbox that the prober reads.
 */
const skip = missing('postfix', 'dovecot', 'dnsmasq') ?? postfixNeedsRoot()

const PASSWORD = 'canary-demo'
const TOKEN = 'a-token-of-more-than-16'
const REFUSAL = '550 5.7.26 This mail is unauthenticated'
const SIEVE = 'if header :contains "To" "lost@" { discard; stop; }\n'

describe.skipIf(skip)('a prober on another host than the relay', () => {
  const ends: (() => Promise<unknown>)[] = []
  let site: Site
  let prober: Daemon
  let probesFile: string
  let adminPort: number

  beforeAll(async () => {
    const folder = await makeScratch()
    ends.unshift(() => rm(folder, { recursive: true, force: true }))
    site = await Site.create(folder)
    const home = await makeScratch()
    ends.unshift(() => rm(home, { recursive: true, force: true }))
    const accounts = [
      'inbox@gmail.test',
      'lost@gmail.test',
      'later@gmail.test',
      'canary@example.org',
    ]
    const dovecot = await startDovecot({
      folder: home,
      name: 'imap.gmail.test',
      users: Object.fromEntries(accounts.map(account => [account, PASSWORD])),
      sieve: SIEVE,
    })
    ends.unshift(() => dovecot.stop())
    const port = await freePort('127.0.0.43')
    const refusing = await ScriptedSmtp.start({
      host: '127.0.0.44',
      port,
      deeds: { RCPT: REFUSAL },
    })
    ends.unshift(() => refusing.stop())
    const spool = await makeScratch()
    ends.unshift(() => rm(spool, { recursive: true, force: true }))
    const postfix = await startPostfix(spool, {
      hostname: 'mx1.gmail.test',
      domains: ['gmail.test', 'example.org'],
      address: '127.0.0.43',
      port,
      tls: await site.certificates.issue('mx1.gmail.test'),
      deliver: { lmtp: { host: dovecot.ip, port: dovecot.lmtpPort } },
      settings: {
        relay_domains: 'later.test',
        transport_maps: `inline:{ {later.test = smtp:[127.0.0.44]:${port}} }`,
      },
    })
    ends.unshift(() => postfix.stop())
    const dns = await startDnsmasq(folder, [
      'mx-host=gmail.test,mx1.gmail.test,5',
      'mx-host=later.test,mx1.gmail.test,5',
      'mx-host=never.test,mx.never.test,5',
      'host-record=mx1.gmail.test,127.0.0.43',
      'host-record=mx.never.test,127.0.0.44',
    ])
    ends.unshift(() => dns.stop())

    const passwords = join(folder, 'passwords')
    await writeFile(passwords, `canary:${ssha(PASSWORD)}\n`)
    const admin = await site.certificates.issue('admin.example.org')
    const token = await site.secret('admin-token', TOKEN)
    await site.configure({
      directory: `  domains: [example.org]\n  export_file: {path: ${passwords}}`,
      delivery: `  direct: {nameservers: ["${dns.server}"], port: ${port}, allow_loopback: true}`,
      admin: `tls: {certificate: ${admin.certificate}, key: ${admin.key}}, token_file: ${token}`,
    })
    const relay = Daemon.start(['run', '--relay', site.relayFile])
    ends.unshift(() => relay.stop())
    await eventually(async () => {
      const answer = await askAdmin('/readyz', TOKEN).catch(() => undefined)
      return answer?.status === 200 ? true : undefined
    }, 'readiness of the relay')

    const secret = await site.secret('canary', PASSWORD)
    await writeFile(join(folder, 'imap-ca.pem'), dovecot.ca)
    const imap = `{host: ${dovecot.ip}, port: ${dovecot.imapsPort}, ca: ${folder}/imap-ca.pem, server_name: imap.gmail.test`
    const seed = (address: string, reads = address): string =>
      `{provider: other, address: ${address}, password_file: ${secret}, imap: ${imap}, username: ${reads}}}`
    adminPort = await freePort()
    probesFile = join(folder, 'probes.yaml')
    await writeFile(
      probesFile,
      `state: ${folder}/prober-state
admin: {listen: "127.0.0.1:${adminPort}"}
origins:
  relay:
    submission:
      {host: 127.0.0.1, port: ${site.ports.submissions}, server_name: ${RELAY_NAME}, ca: ${site.certificates.ca}, username: canary, password_file: ${secret}}
    from: canary@example.org
    trace: https://localhost:${site.ports.admin}
    trace_token_file: ${token}
    trace_ca: ${site.certificates.ca}
    bounces: returned
seeds:
  inbox: ${seed('inbox@gmail.test')}
  lost: ${seed('lost@gmail.test')}
  later: ${seed('bob@later.test', 'later@gmail.test')}
  never: ${seed('bob@never.test', 'later@gmail.test')}
bounces:
  returned: {imap: ${imap}, username: canary@example.org}, password_file: ${secret}}
probes: [{name: all, origins: [relay], seeds: [inbox, lost, later, never], every: 7d, deadline: 5s}]
imap: {poll_every: 1s, retry_after: 1s}
`,
    )
    prober = Daemon.start(['run', '--probes', probesFile])
    ends.unshift(() => prober.stop())
    await prober.ready(adminPort)
  })
  afterAll(async () => {
    for (const end of ends) await end()
  })

  async function askAdmin(path: string, token: string): Promise<{ status: number; body: string }> {
    const asked = request({
      host: 'localhost',
      port: site.ports.admin,
      path,
      ca: site.certificates.caPem,
      headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
    }).end()
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    return { status: answer.statusCode ?? 0, body: await text(answer) }
  }

  const probe = (name: string): ReturnType<typeof Daemon.run> =>
    Daemon.run(['probe', name, '--probes', probesFile])

  test('check --live asks the relay and reads the mailbox for reports', async () => {
    const { output, code } = await Daemon.run(['check', '--probes', probesFile, '--live'])
    expect(output).toMatch(/^ok +trace +relay +the relay answers$/m)
    expect(output).toMatch(/^ok +bounces +returned /m)
    expect(code).toBe(0)
  })

  test('a canary that arrives has been followed through the relay', async () => {
    const { output, code } = await probe('relay/inbox')
    expect(output).toContain('taken by mx1.gmail.test: 250')
    expect(output).toMatch(/arrived in inbox after/)
    expect(code).toBe(0)
  })

  test('where it was lost is what the relay tells', async () => {
    const { output, code } = await probe('relay/lost')
    expect(output).toContain('missing: not seen until the deadline, last stage provider-accepted')
    expect(code).toBe(1)
  })

  test('what the relay was told by the provider is the verdict', async () => {
    const { output } = await probe('relay/never')
    expect(output).toContain(`refused by mx.never.test: ${REFUSAL}`)
    expect(output).toContain(`bounced at provider-refused: ${REFUSAL}`)
  })

  test('what was taken and comes back later is the verdict of its canary', async () => {
    const status = `http://127.0.0.1:${adminPort}`
    const { output } = await probe('relay/later')
    expect(output).toContain(`bounced at provider-refused: ${REFUSAL}`)
    const queueId = /accepted by the origin as (\w+)/.exec(output)?.[1] ?? ''
    // The page of the canary has both: what the relay tells of it, and what came back.
    const canaries = (await (await fetch(`${status}/api/canaries?seed=later`)).json()) as {
      canaries: readonly { id: string; queueId: string }[]
    }
    const { id } = canaries.canaries.find(canary => canary.queueId === queueId) ?? { id: '' }
    expect(await (await fetch(`${status}/api/canaries/${id}`)).json()).toMatchObject({
      elsewhere: { kind: 'delivered', host: 'mx1.gmail.test', tls: 'TLSv1.3' },
      report: { reply: REFUSAL },
      timeline: [],
    })
    // The relay knows nothing of it: its last word is that the provider took the mail.
    const { body } = await askAdmin(`/api/messages/${queueId}`, TOKEN)
    expect(JSON.parse(body)).toMatchObject({ recipients: [{ state: 'delivered' }] })
  })

  test('the admin listener of the relay tells nobody without its token', async () => {
    expect((await askAdmin('/api/status', 'a-token-that-is-another')).status).toBe(401)
  })
})
