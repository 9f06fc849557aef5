import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { Daemon } from '../support/daemon.ts'
import { type Dovecot, startDovecot } from '../support/dovecot.ts'
import { OAuthServer } from '../support/oauth-server.ts'
import { freePort } from '../support/ports.ts'
import { makeScratch } from '../support/scratch.ts'
import { eventually, findProgram, missing } from '../support/server-process.ts'

const ADDRESS = 'seed@mail.example.net'

describe.skipIf(missing('dovecot', 'swaks'))('a seed that signs in with OAuth 2', () => {
  let scratch: string
  let dovecot: Dovecot
  let oauth: OAuthServer
  let daemon: Daemon
  let probes: string
  let admin: number

  beforeAll(async () => {
    scratch = await makeScratch()
    admin = await freePort()
    oauth = await new OAuthServer().start()
    oauth.user = ADDRESS
    await mkdir(join(scratch, 'imap'), { mode: 0o755 })
    dovecot = await startDovecot({
      folder: join(scratch, 'imap'),
      name: 'mail.example.net',
      users: { [ADDRESS]: 'canary-demo' },
      oauth: { mechanism: 'xoauth2', introspect: `${oauth.url}/introspect` },
    })
    await writeFile(join(scratch, 'ca.pem'), dovecot.ca)
    await writeFile(join(scratch, 'key'), `${'k'.repeat(44)}\n`, { mode: 0o600 })
    probes = join(scratch, 'probes.yaml')
    const { deviceUrl, authorizeUrl, tokenUrl } = oauth.endpoints
    const lmtp = `--protocol, LMTP, --server, 127.0.0.1, --port, "${dovecot.lmtpPort}"`
    await writeFile(
      probes,
      `
state: ${scratch}/state
admin: {listen: 127.0.0.1:${admin}}
log: {format: human}
origins:
  lists:
    command: [${findProgram('swaks')}, --silent, "1", ${lmtp}, --from, "{from}", --to, "{to}", --data, "-"]
    from: canary@lists.example.org
seeds:
  own-1:
    provider: own
    address: ${ADDRESS}
    created: 2026-03-01
    imap: {host: ${dovecot.ip}, port: ${dovecot.imapsPort}, server_name: mail.example.net, ca: ${scratch}/ca.pem}
providers:
  own: {auth: oauth2, oauth: {device_url: "${deviceUrl}", authorize_url: "${authorizeUrl}", token_url: "${tokenUrl}", scope: mail offline_access}}
oauth:
  token_key_file: ${scratch}/key
  clients: {own: {client_id: client-1}}
probes:
  - {name: all, origins: [lists], seeds: [own-1], contents: [plain, html, reply, attachment], every: 1h, deadline: 20s}
imap: {poll_every: 1s, retry_after: 1s}
`,
    )
    daemon = Daemon.start(['run', '--probes', probes])
    await daemon.ready(admin)
  })
  afterAll(async () => {
    await daemon.stop()
    await dovecot.stop()
    await oauth.stop()
    await rm(scratch, { recursive: true, force: true })
  })

  async function metric(name: string): Promise<string | undefined> {
    const answer = await fetch(`http://127.0.0.1:${admin}/metrics`)
    const line = (await answer.text()).split('\n').find(line => line.startsWith(name))
    return line?.split(' ').at(-1)
  }

  const series = '{provider="own",seed="own-1"}'

  test('is blind until somebody signs in, then seen without a restart, and told when that ends', async () => {
    await daemon.line(/own-1 \(own\) cannot sign in until .* mailcanary seed login own-1$/)
    expect(await metric(`mailcanary_seed_token_valid${series}`)).toBe('0')
    expect(await metric(`mailcanary_seed_created_timestamp_seconds${series}`)).toBe(
      String(Date.UTC(2026, 2, 1) / 1_000),
    )

    const login = await Daemon.run(['seed', 'login', 'own-1', '--probes', probes])
    expect(login.output).toContain('own-1: signed in, and the mailbox can be read')
    expect(login.code).toBe(0)
    await daemon.line(/own-1 \(own\) can be read/)
    expect(await metric(`mailcanary_seed_token_valid${series}`)).toBe('1')

    const probe = await Daemon.run(['probe', 'all', '--state', join(scratch, 'state')])
    expect(probe.output.match(/arrived in inbox/g)).toHaveLength(4)
    expect(probe.output).toContain('lists/own-1/attachment')
    expect(probe.code).toBe(0)

    // The person changes the password: tokens and sessions are worth nothing any more.
    oauth.revokeAll()
    await dovecot.stop()
    await dovecot.start()
    await daemon.line(/own-1 \(own\) cannot sign in until .*the sign-in is over \(invalid_grant/)
    await eventually(
      async () => (await metric(`mailcanary_seed_token_valid${series}`)) === '0',
      'the metric',
    )
    expect(
      await metric(
        'mailcanary_seed_token_failures_total{provider="own",seed="own-1",result="refused"}',
      ),
    ).toBe('2')
    expect(daemon.output).not.toMatch(/access-|refresh-|client-1|seed@/)
  }, 60_000)

  test('a browser that comes back to this machine signs in as well', async () => {
    const login = Daemon.start(['seed', 'login', 'own-1', '--browser', '--probes', probes])
    const url = await login.line(/^http:\/\/127\.0\.0\.1:\d+\/authorize\?/)
    const page = await fetch(url)
    expect(page.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?code=/)
    expect(await page.text()).toContain('This can be closed')
    expect((await login.ended).code).toBe(0)
    expect(login.output).toContain('own-1: signed in, and the mailbox can be read')
    await eventually(
      async () => (await metric(`mailcanary_seed_token_valid${series}`)) === '1',
      'the daemon having taken it up',
    )
    const backup = join(scratch, 'backup')
    const args = ['backup', backup, '--state', join(scratch, 'state')]
    expect((await Daemon.run(args)).code).toBe(0)
    expect(await readdir(backup)).toContain('seed-own-1.token')
  }, 60_000)
})
