import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { loadProbes } from '../../src/config/load-probes.ts'
import { loadRelay } from '../../src/config/load-relay.ts'
import { PROVIDERS } from '../../src/mail/providers.ts'
import { testCertificates } from '../support/certificates.ts'
import { scratchFolder } from '../support/scratch.ts'

/** What loading a file says, line by line, without the folder in front. */
async function complaints(
  load: (path: string) => Promise<unknown>,
  text: string,
  name = 'file.yaml',
): Promise<string[]> {
  const folder = await scratchFolder()
  const path = join(folder, name)
  await writeFile(path, text)
  const outcome = await load(path).then(
    () => '',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
  return outcome.split('\n').map(line => line.replaceAll(`${folder}/`, ''))
}

const relayProblems = (text: string): Promise<string[]> => complaints(loadRelay, text)
const probesProblems = (text: string): Promise<string[]> =>
  complaints(path => loadProbes(path, PROVIDERS), text)

test('all problems of a file are told at once, each with its place', async () => {
  expect(
    await relayProblems(`hostnam: relay.example.org
listen:
  submissions: ["0.0.0.0"]
tls: {certificate: a.crt, key: a.key}
directory:
  domains: []
  sync_every: 5
limits: {message_size: 50MB, recipients: 0}
`),
  ).toEqual([
    'file.yaml:1:1: hostname: is missing: a host name such as relay.example.org',
    'file.yaml:1:1: hostnam: unknown key, did you mean hostname?',
    'file.yaml:3:17: listen.submissions.0: should be an address and a port, such as 0.0.0.0:465 or "[::]:465"',
    'file.yaml:4:20: tls.certificate: there is no file a.crt',
    'file.yaml:4:32: tls.key: there is no file a.key',
    'file.yaml:6:12: directory.domains: should name at least one domain',
    'file.yaml:7:15: directory.sync_every: should be a duration such as 90s, 30m, 1h30m or 5d',
    'file.yaml:8:24: limits.message_size: should be a size such as 512KiB or 50MiB',
    'file.yaml:8:42: limits.recipients: should be a whole number from 1 to 10000',
  ])
})

test('a file that is not YAML is told with line and column', async () => {
  expect(await relayProblems('hostname: [relay\n')).toEqual([
    expect.stringMatching(/^file\.yaml:2:1: not YAML: /) as string,
  ])
})

test('a file that is not there is told in a sentence', async () => {
  await expect(loadRelay('/nonexistent/relay.yaml')).rejects.toThrow(
    '/nonexistent/relay.yaml: there is no such file',
  )
})

test('a secret in the file is refused, and its value is not repeated', async () => {
  const lines = await probesProblems(`origins:
  relay:
    submission: {host: relay.example.org, username: canary, password: canary-demo}
    from: canary@example.org
seeds: {}
probes: []
`)
  expect(lines).toEqual([
    'file.yaml:3:61: origins.relay.submission.password: a secret is never written here: put it in a file and name that in password_file, or in the environment and name the variable in password_env',
    'file.yaml:6:9: probes: should hold a probe',
  ])
  expect(lines.join('\n')).not.toContain('canary-demo')
})

test('names that lead nowhere are told with what is there', async () => {
  process.env['MAILCANARY_TEST_SECRET'] = 'canary-demo'
  expect(
    await probesProblems(`origins:
  relay: {submission: {host: relay.example.org}, from: canary@example.org}
seeds:
  one: {provider: gmail, address: a@example.net, password_env: MAILCANARY_TEST_SECRET}
  two: {provider: gmial, address: b@example.net, password_env: MAILCANARY_TEST_SECRET}
  three: {provider: other, address: c@example.net, password_env: MAILCANARY_NOT_SET}
probes:
  - {name: all, origins: [relay, old], seeds: [one, for], every: 10m}
  - {name: all, origins: [relay], seeds: [one]}
  - {name: odd, origins: [relay], seeds: [one], cron: every ten minutes}
  - {name: far, origins: [relay], seeds: [one], cron: "0 6 * * *", timezone: Europe/Atlantis}
  - {name: idle, origins: [relay], seeds: [one], every: 1h, timezone: Europe/Berlin}
detector:
  baselines: [{origin: old, provider: yahoo, signal: inbox, healthy: 97.5%}]
`),
  ).toEqual([
    'file.yaml:5:19: seeds.two.provider: no provider has this name, known are gmail, hotmail, microsoft365, yahoo, icloud, riseup, other; describe another under providers',
    'file.yaml:6:10: seeds.three: needs imap: {host: …}, since other names no IMAP server',
    'file.yaml:6:66: seeds.three.password_env: the environment has no MAILCANARY_NOT_SET: set it, or name a file instead',
    'file.yaml:8:34: probes.0.origins.1: there is no origin old: known are relay',
    'file.yaml:8:53: probes.0.seeds.1: there is no seed for: known are one, two, three',
    'file.yaml:9:5: probes.1: needs every (such as 10m) or cron, and not both',
    'file.yaml:9:12: probes.1.name: another probe has this name',
    'file.yaml:10:55: probes.2.cron: should be a cron expression such as "*/10 * * * *"',
    'file.yaml:11:78: probes.3.timezone: should be a time zone such as Europe/Berlin',
    'file.yaml:12:71: probes.4.timezone: is for cron: an interval is the same in every zone',
    'file.yaml:14:24: detector.baselines.0.origin: there is no origin old: known are relay',
    'file.yaml:14:39: detector.baselines.0.provider: no seed is at yahoo: seeds are at gmail, gmial, other',
  ])
})

test('several certificates are each told with their place', async () => {
  const folder = await scratchFolder()
  const certificates = await testCertificates(join(folder, 'ca'))
  const relay = await certificates.issue('relay.example.org')
  const other = await certificates.issue('smtp.example.net')
  const text = (tls: string): string => `hostname: relay.example.org
listen: {submission: ["127.0.0.1:2587"]}
tls:${tls}
directory: {domains: [example.org], export_file: {path: /var/lib/misc/mail-passwords}}
`
  expect(
    await relayProblems(
      text(`
  - {certificate: ${relay.certificate}, key: ${other.key}}
  - {certificate: ${other.certificate}, key: /nonexistent/key}`),
    ),
  ).toEqual([
    expect.stringMatching(/^file\.yaml:4:\d+: tls\.0\.key: does not belong to the certificate$/),
    expect.stringMatching(/^file\.yaml:5:\d+: tls\.1\.key: there is no file \/nonexistent\/key$/),
  ] as string[])
  expect(await relayProblems(text(`\n  - {certificate: ${relay.certificate}}`))).toEqual([
    'file.yaml:4:5: tls.0.key: is missing: a file with the private key, PEM',
  ])
  expect(await relayProblems(text(' {}'))).toEqual([
    'file.yaml:3:6: tls.certificate: is missing: a file with the certificate and its chain, PEM',
    'file.yaml:3:6: tls.key: is missing: a file with the private key, PEM',
  ])
  expect(await relayProblems(text(' []'))).toEqual([
    'file.yaml:3:6: tls: should hold at least one certificate with its key',
  ])
  expect(await relayProblems(text(''))).toEqual([
    expect.stringMatching(/^file\.yaml:\d+:\d+: tls: is missing: logins need TLS/) as string,
  ])
})

test('what a file names is read and checked too', async () => {
  const folder = await scratchFolder()
  const certificates = await testCertificates(join(folder, 'ca'))
  const other = await certificates.issue('other.example.org')
  const relay = await certificates.issue('relay.example.org')
  await writeFile(join(folder, 'open'), 'canary-demo\n', { mode: 0o644 })
  const text = (key: string, certificate: string): string => `hostname: relay.example.org
listen: {submission: ["127.0.0.1:2587"]}
tls:
  certificate: ${certificate}
  key: ${key}
directory:
  domains: [example.org]
  ldap:
    url: ldap://ldap.example.org
    bind_dn: cn=sync
    bind_password_file: ${join(folder, 'open')}
    base: dc=example,dc=org
`
  const problems = await relayProblems(text(relay.key, other.certificate))
  expect(problems).toEqual([
    expect.stringMatching(
      /^file\.yaml:4:16: tls\.certificate: is not for relay\.example\.org but for /,
    ) as string,
    'file.yaml:5:8: tls.key: does not belong to the certificate',
    'file.yaml:9:10: directory.ldap.url: would send the password in clear: use ldaps://, or add starttls: true',
    `file.yaml:11:25: directory.ldap.bind_password_file: ${join(folder, 'open')} may be read by everybody: chmod o= ${join(folder, 'open')}`,
  ])
})

/** A complaint with the number of its line alone: columns are tested above. */
function withLine(complaint: string): string {
  return complaint.replace(/^file\.yaml:(\d+):\d+: /, '$1 ')
}

test('a listener without logins that strangers could reach is told, and limits that are none', async () => {
  const problems = await relayProblems(`hostname: relay.example.org
listen:
  local:
    - {address: "0.0.0.0:25", principal: cron, addresses: [root@example.org]}
    - {address: "127.0.0.1:26", principal: cron, addresses: ["@example.org"], networks: [0.0.0.0/0]}
    - {address: "127.0.0.1:27", principal: cron, addresses: ["@example.org"]}
tls: {certificate: a.crt, key: a.key}
directory: {domains: [example.org], export_file: {path: passwords}}
`)
  expect(problems.map(withLine).filter(line => line.includes('listen'))).toEqual([
    '4 listen.local.0.address: can be reached from other hosts: name the networks that may use it, or listen on 127.0.0.1',
    '5 listen.local.1.networks: 0.0.0.0/0 lets everybody in: name your own networks, /8 or narrower',
  ])
  const others = await relayProblems(`hostname: relay.example.org
listen:
  submission: ["127.0.0.1:587"]
  local:
    - {address: "127.0.0.1:25", principal: Cron Job, addresses: [root], networks: [home]}
tls: {certificate: a.crt, key: a.key}
directory: {domains: [example.org], export_file: {path: passwords}}
limits:
  per_login: {over: bounce, messages_per_hour: 0, recipients_per_day: never}
  logins: {canary: {messages_per_day: none, messages_an_hour: 1}}
`)
  expect(others.map(withLine).filter(line => !line.includes(' tls.'))).toEqual([
    '5 listen.local.0.principal: should be a name of lower-case letters, digits and dashes',
    '5 listen.local.0.addresses.0: should be an address such as root@example.org, or "@example.org" for all of a domain',
    '5 listen.local.0.networks.0: should be a network such as 192.0.2.0/24 or "2001:db8::/32"',
    '9 limits.per_login.over: should be one of hold, defer',
    '9 limits.per_login.messages_per_hour: should be a whole number from 1 to 1000000, or none',
    '9 limits.per_login.recipients_per_day: should be a whole number from 1 to 1000000, or none',
    '10 limits.logins.canary.messages_an_hour: unknown key, did you mean messages_per_hour?',
  ])
})
