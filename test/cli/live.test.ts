import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { Finding } from '../../src/base/finding.ts'
import { startDnsmasq } from '../support/dnsmasq.ts'
import { startDovecot } from '../support/dovecot.ts'
import { ssha } from '../support/password.ts'
import { makeScratch } from '../support/scratch.ts'
import { ScriptedSmtp } from '../support/scripted-smtp.ts'
import { missing } from '../support/server-process.ts'
import { Site } from '../support/site.ts'
import { startSlapd, type Slapd } from '../support/slapd.ts'
import { commandLine } from './command-line.ts'

/* `check --live` and `dns` as somebody types them, between slapd, Dovecot and dnsmasq; no daemon runs. */

const skip = missing('slapd', 'dovecot', 'dnsmasq')
const PASSWORD = 'canary-demo'

describe.skipIf(skip)('check --live', () => {
  const ends: (() => Promise<unknown>)[] = []
  let site: Site
  let slapd: Slapd
  let probesFile: string
  let directory: (bindPassword: string) => Promise<string>
  let delivery: string
  let checks: string

  beforeAll(async () => {
    const folder = await makeScratch()
    ends.unshift(() => rm(folder, { recursive: true, force: true }))
    site = await Site.create(folder)
    slapd = await startSlapd({
      people: [{ uid: 'alice', mailPassword: ssha(PASSWORD) }, { uid: 'bob' }],
    })
    ends.unshift(() => slapd.stop())
    const home = await makeScratch()
    ends.unshift(() => rm(home, { recursive: true, force: true }))
    const dovecot = await startDovecot({
      folder: home,
      name: 'imap.gmail.test',
      users: {
        'one@gmail.test': PASSWORD,
        'two@gmail.test': PASSWORD,
        'three@gmail.test': PASSWORD,
      },
    })
    ends.unshift(() => dovecot.stop())
    const mx = await ScriptedSmtp.start({})
    ends.unshift(() => mx.stop())
    const dns = await startDnsmasq(folder, [
      'host-record=relay.example.org,192.0.2.10',
      'ptr-record=10.2.0.192.in-addr.arpa,relay.example.org',
      'mx-host=example.org,mx.example.org,10',
      'host-record=mx.example.org,127.0.0.1',
      `srv-host=_submissions._tcp.example.org,relay.example.org,${site.ports.submissions}`,
      'local=/example.org/',
      'host-record=2.0.0.127.zen.test,127.0.0.2',
      'host-record=10.2.0.192.zen.test,127.0.0.4',
    ])
    ends.unshift(() => dns.stop())
    const ca = await site.secret('ldap-ca', slapd.ca)
    directory = async bindPassword => `  domains: [example.org]
  ldap:
    url: ${slapd.ldapsUrl}
    ca: ${ca}
    server_name: ldap.test
    bind_dn: ${slapd.bindDn}
    bind_password_file: ${await site.secret('ldap-password', bindPassword)}
    base: ${slapd.peopleDn}`
    delivery = `  direct: {nameservers: ["${dns.server}"], port: ${mx.port}}`
    checks = '{blocklists: [zen.test], outbound: [example.org], time_server: none}'
    const password = await site.secret('seed', PASSWORD)
    const wrong = await site.secret('wrong', 'not-the-password')
    const imap = `{ca: ${await site.secret('imap-ca', dovecot.ca)}, server_name: imap.gmail.test}`
    probesFile = join(folder, 'probes.yaml')
    await writeFile(
      probesFile,
      `state: ${site.state}
admin: {listen: "127.0.0.1:${site.ports.admin}"}
origins:
  relay:
    submission: {host: 127.0.0.1, port: ${site.ports.submissions}}
    from: canary@example.org
    trace: http://127.0.0.1:${site.ports.admin}
bounces:
  back: {imap: ${imap.replace('{', `{host: ${dovecot.ip}, port: ${dovecot.imapsPort}, username: three@gmail.test, `)}, password_file: ${password}}
  lost: {imap: ${imap.replace('{', `{host: ${dovecot.ip}, port: ${dovecot.imapsPort}, username: three@gmail.test, `)}, password_file: ${wrong}}
seeds:
  one: {provider: dovecot, address: one@gmail.test, imap: ${imap}, password_file: ${password}}
  two: {provider: dovecot, address: two@gmail.test, imap: ${imap}, password_file: ${wrong}}
providers:
  dovecot: {imap_host: ${dovecot.ip}, imap_port: ${dovecot.imapsPort}}
probes:
  - {name: all, origins: [relay], seeds: [one, two], every: 1d}
`,
    )
  })
  afterAll(async () => {
    for (const end of ends) await end()
  })

  test('tries all that the files name, and says what to do', async () => {
    await site.configure({ directory: await directory(slapd.bindPassword), delivery, checks })
    const files = ['--relay', site.relayFile, '--probes', probesFile]
    const { code, output } = await commandLine('check', ...files, '--live')
    expect(code).toBe(1)
    const line = (start: RegExp): string =>
      output.split('\n').find(text => start.test(text)) ?? output
    expect(line(/ directory /)).toMatch(/^ok +directory +ldap +1 of 2 can log in/)
    expect(line(/seed +one/)).toMatch(/^ok .*inbox and junk can be read/)
    expect(line(/seed +two/)).toMatch(/^BAD /)
    expect(line(/bounces +back/)).toMatch(/^ok .*can be read/)
    expect(line(/bounces +lost/)).toMatch(/^BAD .*AUTHENTICATIONFAILED/)
    expect(line(/trace +relay/)).toMatch(/^BAD .*the relay cannot be asked: connect ECONNREFUSED/)
    expect(line(/port +submissions/)).toMatch(/^look .*nothing listens there/)
    expect(line(/reverse-name/)).toMatch(/^ok .*is relay\.example\.org, which leads back to it/)
    expect(line(/blocklists/)).toMatch(
      /^BAD +blocklists +192\.0\.2\.10 at zen\.test +listed \(127\.0\.0\.4\)/,
    )
    expect(line(/spf/)).toMatch(
      /^look +spf +example\.org +is not published\. Gmail demands SPF or DKIM/,
    )
    expect(line(/_submissions\._tcp/)).toMatch(/^ok /)
    expect(line(/_submission\._tcp/)).toMatch(/^look /)
    expect(line(/outbound/)).toMatch(
      /^ok +outbound +example\.org +mx\.example\.org answers on port \d+/,
    )
    expect(output).toContain('To do:\n')
    expect(output).toContain(
      `_submission._tcp.example.org: Publish: _submission._tcp.example.org. IN SRV 0 1 ${site.ports.submission} relay.example.org.`,
    )
    expect(output).toMatch(/4 of \d+ are bad, \d+ are to be looked at\.$/)
    expect(output).not.toContain(PASSWORD)
  })

  test('tells a directory that cannot be read, as a script reads it', async () => {
    await site.configure({
      directory: await directory('wrong'),
      delivery,
      checks: '{enabled: false}',
    })
    const { code, output } = await commandLine(
      'check',
      '--relay',
      site.relayFile,
      '--live',
      '--json',
    )
    expect(code).toBe(1)
    const { findings } = JSON.parse(output) as { findings: readonly Finding[] }
    expect(findings.find(({ check }) => check === 'directory')).toMatchObject({ state: 'bad' })
    // What goes to the internet is left out.
    expect([...new Set(findings.map(({ check }) => check))]).toEqual(['directory', 'port'])
  })

  test('a daemon that runs answers at its ports, with a certificate that only its own know', async () => {
    await site.configure({ directory: await directory(slapd.bindPassword), delivery, checks })
    await site.start()
    ends.unshift(() => site.stop())
    // Its own first look is a minute away; the series are there from the start.
    const metrics = await (await fetch(`http://127.0.0.1:${site.ports.admin}/metrics`)).text()
    expect(metrics).toContain('mailcanary_check_findings{check="spf",state="bad"} 0')
    expect(metrics).toContain('mailcanary_blocklist_answers{list="zen.test"} NaN')
    await site.configure({ directory: await directory(slapd.bindPassword), delivery })
    const { code, output } = await commandLine('check', '--relay', site.relayFile, '--live')
    expect(code).toBe(0)
    expect(output).toMatch(
      /^look +port +submissions .*will not believe its certificate: UNABLE_TO_VERIFY/m,
    )
    expect(output).toMatch(/^ok +port +submission 127\.0\.0\.1:\d+ +answers$/m)
    expect(output).toMatch(/^ok +port +admin /m)
  })
})

test('dns prints what is to be published, as a zone that a server can load', async () => {
  const folder = await makeScratch()
  const site = await Site.create(folder)
  const password = await site.secret('export', `alice:${ssha(PASSWORD)}`)
  await site.configure({
    directory: `  domains: [example.org]\n  export_file: {path: ${password}}`,
    delivery: '  direct: {}',
    web: '  listen: "127.0.0.1:443"\n  incoming: [{host: imap.example.org}]',
    checks: '{enabled: false, addresses: [192.0.2.10, "2001:db8::10"]}',
  })
  const { code, output } = await commandLine('dns', '--relay', site.relayFile, '--neutral-spf')
  expect(code).toBe(0)
  const { submissions, submission } = site.ports
  const records = output
    .split('\n')
    .filter(line => !line.startsWith(';'))
    .map(line => line.replace(/ +;.*$/, '').replaceAll(/ +/g, ' '))
  expect(records).toEqual([
    `_submissions._tcp.example.org. IN SRV 0 1 ${submissions} relay.example.org.`,
    `_submission._tcp.example.org. IN SRV 0 1 ${submission} relay.example.org.`,
    '_imaps._tcp.example.org. IN SRV 0 1 993 imap.example.org.',
    'autoconfig.example.org. IN CNAME relay.example.org.',
    'autodiscover.example.org. IN CNAME relay.example.org.',
    '_autodiscover._tcp.example.org. IN SRV 0 1 443 relay.example.org.',
    '10.2.0.192.in-addr.arpa. IN PTR relay.example.org.',
    `0.1.${'0.'.repeat(22)}8.b.d.0.1.0.0.2.ip6.arpa. IN PTR relay.example.org.`,
    'example.org. IN TXT "v=spf1 ?all"',
  ])
  expect(output).toContain(
    'needs these names too: autoconfig.example.org, autodiscover.example.org',
  )
  expect(output).toContain('needs: ip4:192.0.2.10 ip6:2001:db8::10')
  expect(output).toContain('it authenticates nothing')
  const json = await commandLine('dns', '--relay', site.relayFile, '--json')
  expect((JSON.parse(json.output) as { records: unknown[] }).records).toHaveLength(8)
  await rm(folder, { recursive: true })
})
