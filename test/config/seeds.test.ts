import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { messageOf } from '../../src/base/problem.ts'
import { loadProbes, type LoadedProbes } from '../../src/config/load-probes.ts'
import { providerRows } from '../../src/config/provider-rows.ts'
import { classify, findProvider } from '../../src/mail/provider-table.ts'
import { PROVIDERS } from '../../src/mail/providers.ts'
import { parseReply } from '../../src/mail/reply.ts'
import { scratchFolder } from '../support/scratch.ts'

const SECRETS = { password: 'canary-demo', short: 'short', key: 'k'.repeat(44) }

async function load(text: string): Promise<LoadedProbes> {
  const folder = await scratchFolder()
  for (const [name, value] of Object.entries(SECRETS)) {
    await writeFile(join(folder, name), `${value}\n`, { mode: 0o600 })
  }
  const path = join(folder, 'probes.yaml')
  await writeFile(path, text.replaceAll('FOLDER', folder))
  return loadProbes(path, PROVIDERS)
}

async function complaints(text: string): Promise<string[]> {
  const error: unknown = await load(text).then(
    () => new Error(''),
    (error: unknown) => error,
  )
  return (error instanceof Error ? error.message : messageOf(error))
    .split('\n')
    .map(line => line.replace(/^.*probes\.yaml:/, ''))
}

const ORIGIN = 'origins: {a: {smtp: {host: mx.example.org}, from: a@example.org}}'
const PROBE = 'probes: [{name: p, origins: [a], seeds: [s], every: 10m}]'

test('every way to submit, to sign in and to say something is a few lines', async () => {
  const { config, oauth } = await load(`
origins:
  a: {submission: {host: relay.example.org, username: canary, password_file: FOLDER/password}, from: a@example.org}
  b: {smtp: {host: mx.example.org}, from: a@example.org, received_by: mx.example.org}
  c: {command: [/usr/sbin/sendmail, -i, "{to}"], from: a@example.org, from_name: Ada Example}
seeds:
  hotmail-1: {provider: hotmail, address: s@hotmail.example, created: 2026-03-01}
  gmail-1: {provider: gmail, address: s@gmail.example, sign_in: oauth2}
  gmail-2: {provider: gmail, address: t@gmail.example, password_file: FOLDER/password}
  own-1: {provider: own, address: s@example.net}
providers:
  own:
    imap_host: imap.example.net
    auth: oauth2
    oauth: {token_url: "https://login.example.net/token", device_url: "https://login.example.net/code", scope: mail}
    reply_rules:
      - {sample: "450 4.7.1 Slow down, friend", text: slow down, class: rate}
  gmail: {junk_names: ["[Gmail]/Roskaposti"], verified: live}
oauth:
  token_key_file: FOLDER/key
  clients:
    hotmail: {client_id: h}
    gmail: {client_id: g, client_secret_file: FOLDER/password}
    own: {client_id: o}
contents:
  news: {form: html, subjects: [News], automatic: true}
probes:
  - {name: p, origins: [a, b, c], seeds: [gmail-1, gmail-2], contents: [plain, news], rotate_seeds: true, every: 10m}
`)
  expect(config.origins['b']?.smtp).toMatchObject({ port: 25, tls: 'opportunistic' })
  expect(config.seeds['hotmail-1']?.created).toBe(Date.UTC(2026, 2, 1))
  expect([...oauth.clientSecrets.keys()]).toEqual(['gmail'])
  const rows = providerRows(config.providers, PROVIDERS)
  const own = findProvider('own', rows)
  expect(own?.oauth?.deviceUrl).toBe('https://login.example.net/code')
  const reply = parseReply('450 4.7.1 slow down, friend') ?? { code: 0, enhanced: '', text: '' }
  expect(classify(reply, own)).toBe('rate')
  // What a row does not say stays as it is known.
  const gmail = findProvider('gmail', rows)
  expect(gmail).toMatchObject({
    verified: 'live',
    imap: { host: 'imap.gmail.com', connections: 15 },
  })
  expect(gmail?.junkNames[0]).toBe('[Gmail]/Roskaposti')
  expect(gmail?.oauth?.tokenUrl).toBe('https://oauth2.googleapis.com/token')
})

test('an origin has one way in, and what is posted to is https', async () => {
  expect(
    await complaints(`
origins:
  none: {from: a@example.org}
  two: {command: [sendmail], smtp: {host: mx.example.org}, from: a@example.org}
seeds: {s: {provider: gmail, address: s@example.net, password_file: FOLDER/password}}
${PROBE.replace('[a]', '[two]')}
`),
  ).toEqual([
    '3:9: origins.none: needs submission, smtp or command: say where canaries are submitted',
    '4:8: origins.two: has smtp and command: keep one of them',
  ])
  expect(
    await complaints(`
${ORIGIN}
seeds: {s: {provider: gmail, address: s@example.net, created: 2026-02-30}}
providers: {x: {oauth: {token_url: "http://login.example.net/", scope: mail}}}
${PROBE}
`),
  ).toEqual([
    '3:63: seeds.s.created: should be a day such as 2026-03-01',
    '4:36: providers.x.oauth.token_url: should be an https URL such as https://login.example.net/token',
  ])
})

test('a sign-in that cannot work is told before anybody tries', async () => {
  expect(
    await complaints(`
${ORIGIN}
seeds:
  s: {provider: hotmail, address: s@example.net, password_file: FOLDER/password}
  t: {provider: hotmail, address: t@example.net, sign_in: password, password_file: FOLDER/password}
  u: {provider: yahoo, address: u@example.net, sign_in: oauth2}
  v: {provider: gmail, address: v@example.net}
oauth:
  token_key_file: FOLDER/short
  clients: {nobody: {client_id: x}, yahoo: {client_id: y}}
${PROBE}
`),
  ).toEqual([
    '4:6: seeds.s: signs in with OAuth 2: needs oauth.clients.hotmail.client_id (docs/providers.md says how to get one)',
    '4:50: seeds.s.password_file: hotmail is signed in to with OAuth 2: take this away, and use mailcanary seed login s',
    '5:59: seeds.t.sign_in: hotmail takes no password over IMAP, app passwords included: leave sign_in out, and use mailcanary seed login t',
    '6:57: seeds.u.sign_in: yahoo has no OAuth 2: use a password, or say providers.yahoo.oauth',
    '7:6: seeds.v: needs password_file or password_env',
    '9:19: oauth.token_key_file: should hold a key of 32 characters or more: make one with openssl rand -base64 32',
    '10:13: oauth.clients.nobody: no provider has this name: a client belongs to one',
  ])
})

test('a rule for replies that its own sample does not meet is told', async () => {
  expect(
    await complaints(`
${ORIGIN}
seeds: {s: {provider: gmail, address: s@example.net, password_file: FOLDER/password}}
providers:
  own:
    reply_rules:
      - {sample: "450 4.7.1 x", text: "(", class: other}
${PROBE}
`),
  ).toEqual([
    '7:39: providers.own.reply_rules.0.text: should be a regular expression: Invalid regular expression: /(/i: Unterminated group',
  ])
  expect(
    await complaints(`
${ORIGIN}
seeds: {s: {provider: gmail, address: s@example.net, password_file: FOLDER/password}}
providers:
  own:
    reply_rules:
      - {sample: "450 4.7.1 come later", text: slow, class: rate}
      - {sample: "450 4.7.1 come later", class: rate}
      - {sample: "come later", text: later, class: rate}
contents: {x: {form: html}}
${PROBE.replace('every', 'contents: [x, y], every')}
`),
  ).toEqual([
    '7:18: providers.own.reply_rules.0.sample: should be met by this rule, and by none above it',
    '8:9: providers.own.reply_rules.1: needs codes, enhanced or text: it would be true of every reply',
    '9:18: providers.own.reply_rules.2.sample: should be a reply as it is sent: 421 4.7.0 try again later',
    '11:60: probes.0.contents.1: there is no content y: known are plain, html, reply, attachment, x',
  ])
})

test('the trace of a relay elsewhere, and the mailbox that reports come back to', async () => {
  const { config, traces, bounces } = await load(`
origins:
  a:
    smtp: {host: mx.example.org}
    from: a@example.org
    trace: https://relay.example.org:9464
    trace_token_file: FOLDER/password
    bounces: returned
bounces:
  returned: {imap: {host: imap.example.org, username: a}, password_file: FOLDER/password}
seeds: {s: {provider: gmail, address: s@gmail.example, password_file: FOLDER/password}}
${PROBE}
`)
  expect(config.origins['a']).toMatchObject({ trace: 'https://relay.example.org:9464' })
  expect(traces.get('a')?.token?.reveal()).toBe('canary-demo')
  expect(bounces.get('returned')?.password?.reveal()).toBe('canary-demo')
})

test('what is wrong with a trace or with a bounce mailbox is said where it stands', async () => {
  expect(
    await complaints(`origins:
  a: {smtp: {host: mx.example.org}, from: a@example.org, trace: local, trace_token_file: FOLDER/password}
  b: {smtp: {host: mx.example.org}, from: ${'b'.repeat(31)}@example.org, bounces: returned}
  c: {smtp: {host: mx.example.org}, from: c@example.org, bounces: nowhere}
bounces:
  returned: {imap: {host: imap.example.org}}
seeds: {s: {provider: gmail, address: s@gmail.example, password_file: FOLDER/password}}
${PROBE}`),
  ).toEqual(
    expect.arrayContaining([
      expect.stringContaining('trace_token_file: is for a trace that is a URL'),
      expect.stringContaining('bounces: reports come back to an address with a token in it'),
      expect.stringContaining('there are no bounces nowhere: describe the mailbox under bounces'),
      expect.stringContaining('needs password_file or password_env'),
      expect.stringContaining('needs username: who signs in'),
    ]),
  )
  expect(
    await complaints(`origins: {a: {smtp: {host: mx.example.org}, from: a@example.org, trace: "http://relay.example.org"}}
seeds: {s: {provider: gmail, address: s@gmail.example, password_file: FOLDER/password}}
${PROBE}`),
  ).toEqual([
    expect.stringContaining(
      'should be local, none, or the URL of an admin listener: https://relay.example.org:9464',
    ),
  ])
})

test('more mailboxes of one account than the provider bears connections are told', async () => {
  const row = (rest: string): string => `{password_file: FOLDER/password, ${rest}}`
  const file = (borne: number): string => `
${ORIGIN}
seeds:
  s: ${row('provider: own, address: s@example.net')}
  alias: ${row('provider: own, address: alias@example.net, imap: {username: S@example.net}')}
  other: ${row('provider: own, address: other@example.net')}
bounces:
  back: ${row('address: s@example.net, imap: {host: IMAP.example.net}')}
providers: {own: {imap_host: imap.example.net, connections: ${borne}}}
${PROBE}
`
  expect(await complaints(file(2))).toEqual([
    '4:6: seeds.s: seeds.s, seeds.alias, bounces.back are one account, and own bears 2 connections of one account at the same time: use other accounts',
  ])
  expect(await complaints(file(3))).toEqual([''])
})
