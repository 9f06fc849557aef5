import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { loadProbes } from '../../src/config/load-probes.ts'
import { testCertificates } from '../support/certificates.ts'
import { scratchFolder } from '../support/scratch.ts'

const REST = `
origins:
  relay: {submission: {host: relay.example.org}, from: canary@example.org}
seeds: {}
probes: [{name: everyone, origins: [relay], seeds: [gmail-1], every: 10m}]
`

/** What is said of the admin section of a file; '' where nothing is. */
async function complaint(folder: string, admin: string): Promise<string> {
  const file = join(folder, 'probes.yaml')
  await writeFile(file, `admin: {${admin}}\n${REST}`)
  const problem = await loadProbes(file, []).then(
    () => '',
    (error: Error) => error.message,
  )
  return problem
    .split('\n')
    .filter(line => line.includes('admin'))
    .join('\n')
}

test('an address that strangers can reach needs a certificate and a token, and says which is missing', async () => {
  const folder = await scratchFolder()
  expect(await complaint(folder, 'listen: 0.0.0.0:9464')).toContain(
    'can be reached from other hosts and needs admin.tls and admin.token_file',
  )
  expect(await complaint(folder, 'listen: "[::]:9464"')).toContain('needs admin.tls')
  for (const inside of ['127.0.0.1:9464', '"[::1]:9464"']) {
    expect(await complaint(folder, `listen: ${inside}`)).toBe('')
  }
})

test('certificate and token are read and judged', async () => {
  const folder = await scratchFolder()
  const certificates = await testCertificates(join(folder, 'ca'))
  const pair = await certificates.issue('status.example.org')
  const [certificate, key, token] = ['crt', 'key', 'token'].map(name => join(folder, name))
  await writeFile(certificate ?? '', pair.certificatePem)
  await writeFile(key ?? '', pair.keyPem)
  await writeFile(token ?? '', 'canary-demo\n', { mode: 0o600 })
  const admin = `listen: 0.0.0.0:9464, tls: {certificate: ${certificate}, key: ${key}}, token_file: ${token}`
  expect(await complaint(folder, admin)).toContain('should hold at least 16 characters')
  await writeFile(token ?? '', 'canary-demo-canary-demo\n', { mode: 0o600 })
  expect(await complaint(folder, admin)).toBe('')
  await writeFile(key ?? '', 'no key')
  expect(await complaint(folder, admin)).toMatch(/admin\.tls.*should both be PEM/)
})
