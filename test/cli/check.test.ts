import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { scratchFolder } from '../support/scratch.ts'
import { Site } from '../support/site.ts'
import { commandLine } from './command-line.ts'

async function siteWith(shaping: string): Promise<Site> {
  const site = await Site.create(await scratchFolder())
  const passwords = join(site.folder, 'passwords')
  await writeFile(passwords, '')
  await site.configure({
    directory: `  domains: [example.org]\n  export_file: {path: ${passwords}}`,
    delivery: `  retry: [1m]\n  shaping:\n${shaping}`,
  })
  return site
}

/** Line and column of a text, as messages tell them. */
async function placeOf(site: Site, text: string): Promise<string> {
  const lines = (await readFile(site.relayFile, 'utf8')).split('\n')
  const line = lines.findIndex(one => one.includes(text))
  return `${site.relayFile}:${line + 1}:${(lines[line]?.indexOf(text) ?? 0) + 1}`
}

test('a provider that shaping names and nobody knows is told with its place, beside every other problem', async () => {
  const site = await siteWith(
    '    gmail: {connections: 3}\n    gmial: {connections: 3}\n    constructor: {connections: 3}',
  )
  const { code, output } = await commandLine('check', '--relay', site.relayFile)
  expect(code).toBe(1)
  const words =
    'no provider has this name, known are gmail, hotmail, microsoft365, yahoo, icloud, riseup, other; describe another under providers in probes.yaml'
  expect(output.split('\n')).toEqual([
    expect.stringContaining(`${await placeOf(site, 'gmial:')}: delivery.shaping.gmial: ${words}`),
    expect.stringContaining(
      `${await placeOf(site, 'constructor:')}: delivery.shaping.constructor: ${words}`,
    ),
  ])
})

test('all ways in are told, that of sshd with the socket that its programs look for', async () => {
  const site = await siteWith('    gmail: {connections: 3}')
  const text = await readFile(site.relayFile, 'utf8')
  await writeFile(
    site.relayFile,
    text.replace(
      /^listen:\n/m,
      'listen:\n  ssh: {group: mailcanary-submit}\n  local: [{address: "127.0.0.1:25", principal: cron, addresses: [root@example.org]}]\n',
    ),
  )
  const { code, output } = await commandLine('check', '--relay', site.relayFile)
  expect(output).toContain(
    'listeners, 1 for local applications, 1 for sshd (/run/mailcanary/ssh/submit.sock), logins from',
  )
  expect(code).toBe(0)
})

test('a provider of the prober’s file is known where that is checked too', async () => {
  const site = await siteWith('    mailhost: {connections: 3}')
  const probes = join(site.folder, 'probes.yaml')
  await writeFile(
    probes,
    `state: ${site.state}
admin: {listen: "127.0.0.1:${site.ports.admin}"}
providers: {mailhost: {mx_suffixes: [.mx.example.net]}}
origins: {relay: {smtp: {host: mail.example.net}, from: canary@example.org}}
seeds:
  one: {provider: mailhost, address: seed@example.net, imap: {host: imap.example.net}, password_file: ${await site.secret('seed', 'test')}}
probes: [{name: all, origins: [relay], seeds: [one], every: 10m}]
`,
  )
  const alone = await commandLine('check', '--relay', site.relayFile)
  expect(alone).toMatchObject({ code: 1 })
  expect(alone.output).toContain('delivery.shaping.mailhost: no provider has this name')
  const both = await commandLine('check', '--relay', site.relayFile, '--probes', probes)
  expect(both.output).toContain(`${site.relayFile}: well`)
  expect(both).toMatchObject({ code: 0 })
})
