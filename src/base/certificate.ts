import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { isIP } from 'node:net'

import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  type X509Certificate,
} from '@peculiar/x509'

import { DAY } from './clock.ts'

/** Certificate and private key, both PEM. */
export interface CertificatePair {
  readonly certificate: string
  readonly key: string
}

export interface Authority {
  /** PEM, for those who are to trust it. */
  readonly certificate: string
  /**
   * @param names DNS names and IP addresses; the first is the subject
   * @param until when it ends; 30 days from now unless told
   */
  issue(names: readonly [string, ...string[]], until?: Date): Promise<CertificatePair>
}

// P-256 as everywhere in TLS: its handshakes cost half of RSA's.
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const VALID_DAYS = 30

/**
 * A certificate authority that lives in memory and for 30 days. For the demo and the tests, which must not need an
 * openssl binary; nothing else trusts it.
 */
export async function createAuthority(name: string): Promise<Authority> {
  cryptoProvider.set(webcrypto as never)
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const root = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys: keys as never,
    signingAlgorithm: ALGORITHM,
    ...validity(),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  })
  return {
    certificate: root.toString('pem'),
    issue: (names, until) => issue(names, root, keys.privateKey, until),
  }
}

async function issue(
  names: readonly [string, ...string[]],
  root: X509Certificate,
  rootKey: webcrypto.CryptoKey,
  until?: Date,
): Promise<CertificatePair> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.create({
    subject: `CN=${names[0]}`,
    issuer: root.subject,
    publicKey: keys.publicKey as never,
    signingKey: rootKey as never,
    signingAlgorithm: ALGORITHM,
    ...validity(),
    ...(until !== undefined && { notAfter: until }),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(
        names.map(value => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
      ),
      await AuthorityKeyIdentifierExtension.create(root),
    ],
  })
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return {
    certificate: certificate.toString('pem'),
    key: PemConverter.encode(pkcs8, 'PRIVATE KEY'),
  }
}

function validity(): { notBefore: Date; notAfter: Date } {
  const now = Date.now()
  // An hour of grace, for clocks that disagree.
  return { notBefore: new Date(now - DAY / 24), notAfter: new Date(now + VALID_DAYS * DAY) }
}
