import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'
import { parse } from 'yaml'

import { loadProbes } from '../../src/config/load-probes.ts'
import { loadRelay } from '../../src/config/load-relay.ts'
import { probesSchema } from '../../src/config/probes-schema.ts'
import { relaySchema } from '../../src/config/relay-schema.ts'
import { PROVIDERS } from '../../src/mail/providers.ts'
import { testCertificates } from '../support/certificates.ts'
import { scratchFolder } from '../support/scratch.ts'

/** The shipped file with the paths of /etc/mailcanary led into a folder where such files are. */
async function installed(name: string, folder: string): Promise<string> {
  const certificates = await testCertificates(join(folder, 'ca'))
  const pair = await certificates.issue('relay.example.org')
  await writeFile(join(folder, 'relay.crt'), pair.certificatePem)
  await writeFile(join(folder, 'relay.key'), pair.keyPem)
  for (const secret of ['ldap-password', 'canary-password', 'gmail-1']) {
    await writeFile(join(folder, secret), 'canary-demo\n', { mode: 0o600 })
  }
  const path = join(folder, name)
  await writeFile(path, readFileSync(name, 'utf8').replaceAll('/etc/mailcanary', folder))
  return path
}

test('the shipped files are valid as they are', async () => {
  const folder = await scratchFolder()
  await expect(loadRelay(await installed('relay.yaml', folder))).resolves.toBeDefined()
  const probes = await installed('probes.yaml', folder)
  await expect(loadProbes(probes, PROVIDERS)).resolves.toBeDefined()
})

/** All keys of a value, as dotted paths; what is below a list or a map of names counts once. */
function keysOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return [path]
  const entries = Object.entries(value)
  return entries.length === 0
    ? [path]
    : entries.flatMap(([key, inner]) => keysOf(inner, `${path}.${key}`))
}

test('a value in the shipped relay.yaml is the default, so that the file is the manual', () => {
  const written = relaySchema.parse(parse(readFileSync('relay.yaml', 'utf8')))
  const { hostname, listen, tls, directory } = written
  const least = relaySchema.parse({
    hostname,
    tls,
    listen: { submissions: ['0.0.0.0:465', '[::]:465'], submission: ['0.0.0.0:587', '[::]:587'] },
    directory: {
      domains: directory.domains,
      ldap: {
        url: 'ldaps://ldap.example.org',
        bind_dn: 'cn=relaysync,dc=example,dc=org',
        bind_password_file: '/etc/mailcanary/ldap-password',
        base: 'ou=users,dc=example,dc=org',
      },
    },
  })
  expect(listen.submission).toHaveLength(2)
  expect(written).toEqual(least)
})

test('a value in the shipped probes.yaml is the default, but for what has to be changed', () => {
  const written = probesSchema.parse(parse(readFileSync('probes.yaml', 'utf8')))
  const { origins, seeds, probes } = written
  const [probe] = probes
  const least = probesSchema.parse({
    origins: {},
    seeds: {},
    probes: [{ name: probe?.name, origins: probe?.origins, seeds: probe?.seeds, every: '10m' }],
  })
  expect(written).toEqual({ ...least, origins, seeds })
})

test('every key that has a default stands in the shipped file', () => {
  const shown = (file: string, key: string): boolean =>
    new RegExp(`^[ #]*(?:- )?${key}:`, 'm').test(readFileSync(file, 'utf8'))
  const least = relaySchema.parse({
    hostname: 'relay.example.org',
    listen: {},
    tls: { certificate: 'a', key: 'b' },
    directory: { domains: ['example.org'] },
  })
  const last = (path: string): string => path.split('.').at(-1) ?? ''
  expect(
    keysOf(least)
      .map(last)
      .filter(key => !shown('relay.yaml', key)),
  ).toEqual([])
})
