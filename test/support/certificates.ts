import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { createAuthority } from '../../src/base/certificate.ts'

export interface TestCertificates {
  readonly folder: string
  /** Path of the authority's certificate, for clients. */
  readonly ca: string
  readonly caPem: string
  /** Paths and texts of a certificate and its key for these names. */
  issue(
    name: string,
    ...others: string[]
  ): Promise<{
    readonly certificate: string
    readonly key: string
    readonly certificatePem: string
    readonly keyPem: string
  }>
}

/**
 * An authority of its own for one test, in a folder. Keys are world-readable, since servers that dropped root have
 * to read them: they are worth nothing outside the test.
 */
export async function testCertificates(folder: string): Promise<TestCertificates> {
  await mkdir(folder, { recursive: true, mode: 0o755 })
  const authority = await createAuthority('mailcanary test authority')
  const ca = join(folder, 'ca.crt')
  await writeFile(ca, authority.certificate)
  return {
    folder,
    ca,
    caPem: authority.certificate,
    async issue(name, ...others) {
      const pair = await authority.issue([name, ...others, 'localhost', '127.0.0.1'])
      const certificate = join(folder, `${name}.crt`)
      const key = join(folder, `${name}.key`)
      await writeFile(certificate, pair.certificate)
      await writeFile(key, pair.key, { mode: 0o644 })
      return { certificate, key, certificatePem: pair.certificate, keyPem: pair.key }
    },
  }
}
