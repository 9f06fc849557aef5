import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { relayChanges } from '../../src/config/changes.ts'
import { loadRelay } from '../../src/config/load-relay.ts'
import { testCertificates } from '../support/certificates.ts'
import { scratchFolder } from '../support/scratch.ts'

test('changes are named as the file names them, also of what only stands in another file', async () => {
  const folder = await scratchFolder()
  const certificates = await testCertificates(join(folder, 'ca'))
  const { certificatePem, keyPem } = await certificates.issue('relay.example.org')
  await writeFile(join(folder, 'relay.crt'), certificatePem)
  await writeFile(join(folder, 'relay.key'), keyPem)
  const secret = join(folder, 'ldap-password')
  await writeFile(secret, 'canary-demo\n', { mode: 0o600 })
  const shipped = readFileSync('relay.yaml', 'utf8').replaceAll('/etc/mailcanary', folder)
  const path = join(folder, 'relay.yaml')
  const load = async (text: string): ReturnType<typeof loadRelay> => {
    await writeFile(path, text)
    return loadRelay(path)
  }

  const before = await load(shipped)
  expect(relayChanges(before, await load(`# read again\n${shipped}`))).toEqual([])

  await writeFile(secret, 'another\n')
  const changed = shipped
    .replace('messages: 14d', 'messages: 7d')
    .replace('domains: [example.org]', 'domains: [example.org, example.net]')
    .replace(/^hostname: .*$/m, 'hostname: relay.example.org\nsubmission: {null_sender: reject}')
    .replace(/^submission:\n(?: .*\n)+/m, '')
  const found = relayChanges(before, await load(changed))
  expect(found.toSorted()).toEqual([
    'directory.domains',
    'directory.ldap.bind_password',
    'retention.messages',
    'submission.null_sender',
  ])
  expect(JSON.stringify(found)).not.toContain('another')
})
