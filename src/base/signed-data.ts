import { createHash, createPrivateKey, sign, X509Certificate } from 'node:crypto'

import type { CertificatePair } from './certificate.ts'

/*
 * SignedData of the Cryptographic Message Syntax (RFC 5652 section 5) in DER, with the content inside. Node verifies and
 * makes signatures but not this envelope, and what it takes is less than a library.
 */

const OID = {
  data: '06092a864886f70d010701',
  signedData: '06092a864886f70d010702',
  contentType: '06092a864886f70d010903',
  messageDigest: '06092a864886f70d010904',
  signingTime: '06092a864886f70d010905',
  sha256: '0609608648016503040201',
  rsaEncryption: '06092a864886f70d010101',
  ecdsaWithSha256: '06082a8648ce3d040302',
} as const

const SEQUENCE = 0x30
const SET = 0x31
const INTEGER = 0x02
const OCTETS = 0x04
const UTC_TIME = 0x17
/** [0], which RFC 5652 uses explicitly for contents and implicitly for sets. */
const ZERO = 0xa0

/**
 * Signs a content with the first certificate of a PEM chain, which goes along as a whole.
 *
 * @returns undefined where the key is neither RSA nor EC: nobody could be expected to verify it
 */
export function signedData(
  content: Buffer,
  { certificate, key }: CertificatePair,
  at: Date,
): Buffer | undefined {
  const privateKey = createPrivateKey(key)
  const algorithm = signatureAlgorithm(privateKey.asymmetricKeyType)
  const chain = (
    certificate.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  ) //
    .map(pem => new X509Certificate(pem).raw)
  const [own] = chain
  if (algorithm === undefined || own === undefined) return undefined
  const sha256 = node(SEQUENCE, oid('sha256'))
  // Section 11: both attributes are demanded once there are any; DER sorts a SET OF by its octets (X.690 section 11.6).
  const attributes = Buffer.concat(
    [
      attribute('contentType', oid('data')),
      attribute('messageDigest', node(OCTETS, createHash('sha256').update(content).digest())),
      attribute('signingTime', node(UTC_TIME, Buffer.from(utcTime(at)))),
    ].toSorted((one, other) => Buffer.compare(one, other)),
  )
  // Section 5.4: what is signed has the tag of a SET, not the one that it has in the message.
  const signature = sign('sha256', node(SET, attributes), privateKey)
  const signer = node(
    SEQUENCE,
    node(INTEGER, Buffer.of(1)),
    node(SEQUENCE, ...issuerAndSerial(own)),
    sha256,
    node(ZERO, attributes),
    algorithm,
    node(OCTETS, signature),
  )
  const signed = node(
    SEQUENCE,
    node(INTEGER, Buffer.of(1)),
    node(SET, sha256),
    node(SEQUENCE, oid('data'), node(ZERO, node(OCTETS, content))),
    node(ZERO, ...chain),
    node(SET, signer),
  )
  return node(SEQUENCE, oid('signedData'), node(ZERO, signed))
}

function signatureAlgorithm(type: string | undefined): Buffer | undefined {
  // RFC 3370 section 3.2 wants NULL parameters for RSA, RFC 5754 section 3.3 none for ECDSA.
  if (type === 'rsa') return node(SEQUENCE, oid('rsaEncryption'), node(0x05))
  if (type === 'ec') return node(SEQUENCE, oid('ecdsaWithSha256'))
  return undefined
}

function attribute(name: keyof typeof OID, value: Buffer): Buffer {
  return node(SEQUENCE, oid(name), node(SET, value))
}

function oid(name: keyof typeof OID): Buffer {
  return Buffer.from(OID[name], 'hex')
}

function node(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents)
  const { length } = content
  const octets = length > 0xff_ff ? 3 : length > 0xff ? 2 : 1
  const head = length < 0x80 ? Buffer.of(tag, length) : Buffer.alloc(2 + octets)
  if (length >= 0x80) {
    head.writeUInt8(tag)
    head.writeUInt8(0x80 | octets, 1)
    head.writeUIntBE(length, 2, octets)
  }
  return Buffer.concat([head, content])
}

/** YYMMDDHHMMSSZ (RFC 5652 section 11.3): two digits of the year do until 2049. */
function utcTime(at: Date): string {
  return `${at
    .toISOString()
    .replaceAll(/[-T:]|\..*/g, '')
    .slice(2)}Z`
}

/** Name of the issuer and number of a certificate as they stand in it (RFC 5280 section 4.1). */
function issuerAndSerial(certificate: Buffer): [issuer: Buffer, serial: Buffer] {
  const body = inside(inside(certificate))
  // The version is left out of version 1.
  const at = body[0] === ZERO ? end(body, 0) : 0
  const serial = body.subarray(at, end(body, at))
  const algorithm = at + serial.length
  const issuer = end(body, algorithm)
  return [body.subarray(issuer, end(body, issuer)), serial]
}

/** The content of the node at the beginning. */
function inside(der: Buffer): Buffer {
  return der.subarray(contentAt(der, 0), end(der, 0))
}

function end(der: Buffer, at: number): number {
  const length = der[at + 1] ?? 0
  const content = contentAt(der, at)
  return content + (length < 0x80 ? length : der.readUIntBE(at + 2, length & 0x7f))
}

function contentAt(der: Buffer, at: number): number {
  const length = der[at + 1] ?? 0
  return at + 2 + (length < 0x80 ? 0 : length & 0x7f)
}
