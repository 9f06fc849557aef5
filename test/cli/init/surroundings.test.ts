import { cp, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { expect, test } from 'vitest'

import { findPair, keyBeside } from '../../../src/cli/init/surroundings.ts'
import { testCertificates } from '../../support/certificates.ts'
import { scratchFolder } from '../../support/scratch.ts'

/** A host on which ACME clients have left certificates. */
async function host(
  files: readonly (readonly [name: string, certificate: string, key: string])[],
): Promise<string> {
  const root = await scratchFolder()
  const certificates = await testCertificates(join(root, 'ca'))
  for (const [name, ...places] of files) {
    const pair = await certificates.issue(name)
    for (const [i, place] of places.entries()) {
      await mkdir(dirname(join(root, place)), { recursive: true })
      await cp(i === 0 ? pair.certificate : pair.key, join(root, place))
    }
  }
  return root
}

test.each([
  [
    '/etc/letsencrypt/live/relay.example.org/fullchain.pem',
    '/etc/letsencrypt/live/relay.example.org/privkey.pem',
  ],
  [
    '/root/.acme.sh/relay.example.org_ecc/fullchain.cer',
    '/root/.acme.sh/relay.example.org_ecc/relay.example.org.key',
  ],
  ['/etc/ssl/certs/relay.crt', '/etc/ssl/private/relay.key'],
  ['/etc/mailcanary/relay.crt', '/etc/mailcanary/relay.key'],
])('the certificate of the name is found in %s, and its key', async (certificate, key) => {
  const root = await host([
    [
      'other.example.org',
      '/etc/letsencrypt/live/other.example.org/fullchain.pem',
      '/etc/letsencrypt/live/other.example.org/privkey.pem',
    ],
    ['relay.example.org', certificate, key],
  ])
  expect(findPair('relay.example.org', root)).toEqual({
    certificate: join(root, certificate),
    key: join(root, key),
  })
  expect(findPair('third.example.org', root)).toBeUndefined()
})

test('a certificate without its key is none', async () => {
  const root = await host([['relay.example.org', '/etc/ssl/certs/relay.crt', '/srv/elsewhere.key']])
  expect(findPair('relay.example.org', root)).toBeUndefined()
  expect(keyBeside(join(root, '/etc/ssl/certs/relay.crt'))).toBeUndefined()
})
