import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { loadRelay, type LoadedRelay } from '../../src/config/load-relay.ts'
import { testCertificates } from '../support/certificates.ts'
import { scratchFolder } from '../support/scratch.ts'

async function load(web: string, directory = 'export_file: {path: x}'): Promise<LoadedRelay> {
  const folder = await scratchFolder()
  const { certificate, key } = await (await testCertificates(folder)).issue('relay.example.org')
  const path = join(folder, 'relay.yaml')
  await writeFile(
    path,
    `hostname: relay.example.org
listen: {submissions: ["127.0.0.1:465"]}
tls: {certificate: ${certificate}, key: ${key}}
directory: {domains: [example.org], ${directory}}
web: {listen: "127.0.0.1:8025", ${web}}
`,
  )
  return loadRelay(path)
}

test('the account page is there where it is asked for, its application passwords too', async () => {
  expect((await load('')).config.web).toMatchObject({ proxies: [] })
  expect((await load('')).config.web?.account).toBeUndefined()
  expect((await load('account: {}')).config.web?.account).toEqual({
    hash: 'sha512-crypt',
    application_passwords: false,
  })
})

test('a proxy that is everybody, and a way that passwords would go in clear, are refused', async () => {
  await expect(load('proxies: [127.0.0.1, 0.0.0.0/0]')).rejects.toThrow(
    /relay\.yaml:5:\d+: web\.proxies\.1: 0\.0\.0\.0\/0 lets everybody in/,
  )
  await expect(load('account: {write_url: "ldap://ldap.example.org"}')).rejects.toThrow(
    /web\.account\.write_url: would send the password in clear/,
  )
  await expect(load('account: {write_url: "ldaps://ldap.example.org"}')).rejects.toThrow(
    /web\.account\.write_url: is for a directory that is read by ldap/,
  )
  await expect(load('account: {hash: md5-crypt}')).rejects.toThrow(/should be one of sha512-crypt/)
})
