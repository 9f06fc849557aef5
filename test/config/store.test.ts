import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { loadProbes, type LoadedProbes } from '../../src/config/load-probes.ts'
import { PROVIDERS } from '../../src/mail/providers.ts'
import { scratchFolder } from '../support/scratch.ts'

async function load(postgres: string, secret = ''): Promise<LoadedProbes> {
  const folder = await scratchFolder()
  const path = join(folder, 'probes.yaml')
  await writeFile(join(folder, 'url'), `${secret}\n`, { mode: 0o600 })
  await writeFile(join(folder, 'password'), 'canary-demo\n', { mode: 0o600 })
  await writeFile(
    path,
    `state: ${folder}
store: {postgres: ${postgres.replace('FOLDER', folder)}}
origins: {relay: {submission: {host: 127.0.0.1, tls: none}, from: canary@example.org}}
seeds:
  gmail-1: {provider: gmail, address: seed@example.net, password_file: ${folder}/password}
probes: [{name: everyone, origins: [relay], seeds: [gmail-1], every: 10m}]
`,
  )
  return loadProbes(path, PROVIDERS)
}

test('the URL of the database is a secret, which nothing shows', async () => {
  const url = 'postgres://mailcanary:canary-demo@db.example.org/mailcanary?sslmode=verify-full'
  const loaded = await load('{url_file: FOLDER/url, connections: 4}', url)
  expect(loaded.store?.url.reveal()).toBe(url)
  expect(loaded.store?.connections).toBe(4)
  expect(JSON.stringify(loaded)).not.toContain(url)
})

test('a database without a URL, and a URL of something else, are problems with their place', async () => {
  await expect(load('{connections: 4}')).rejects.toThrow(
    /probes\.yaml:2:\d+: store\.postgres: needs url_file or url_env/,
  )
  const wrong = load('{url_file: FOLDER/url}', 'mysql://mailcanary:canary-demo@db/mailcanary')
  await expect(wrong).rejects.toThrow(
    'store.postgres.url_file: should hold postgres://USER:PASSWORD@HOST/DATABASE',
  )
  await expect(wrong).rejects.not.toThrow('canary-demo@db')
})
