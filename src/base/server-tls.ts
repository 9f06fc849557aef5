import { constants, createPrivateKey, randomBytes, X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'

import type { CertificatePair } from './certificate.ts'
import { messageOf, Problem } from './problem.ts'

/*
 * How we speak TLS where we are the server: after Mozilla's intermediate configuration
 * (https://wiki.mozilla.org/Security/Server_Side_TLS), which every mail program that still gets updates can do, but
 * for its DHE suites: they only serve clients of before 2014, and cost ten times as much.
 */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
]

// The hybrid group keeps what is recorded today from whoever has a quantum computer one day; OpenSSL knows it from 3.5.
const GROUPS = ['X25519MLKEM768:X25519:P-256:P-384', 'X25519:P-256:P-384'].find(known) ?? 'auto'

/** Versions, ciphers, groups and what else is the same for every listener of ours. */
export const SERVER_TLS = {
  // RFC 8997 section 3: what is below must not be negotiated.
  minVersion: 'TLSv1.2',
  ciphers: CIPHERS.join(':'),
  ecdhCurve: GROUPS,
  // Ours is the order, but for a client without AES in hardware, which says so by wanting ChaCha20 first.
  honorCipherOrder: true,
  // A client that renegotiates makes us do the costly half of a handshake again and again; none needs it.
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_PRIORITIZE_CHACHA,
} as const satisfies SecureContextOptions

function known(groups: string): boolean {
  try {
    createSecureContext({ ecdhCurve: groups })
    return true
  } catch {
    return false
  }
}

/** One certificate or several; the first is shown to clients that ask for no name, or for one that none has. */
export type CertificatePairs = readonly [CertificatePair, ...CertificatePair[]]

interface Identity extends CertificatePair {
  readonly parsed: X509Certificate
  readonly context: SecureContext
}

/** Certificates that fit their keys, ready to be shown. */
export class ServerIdentities {
  readonly #identities: readonly [Identity, ...Identity[]]
  /** Of the tickets by which a client takes up its session again, at whichever thread it meets. */
  readonly ticketKeys: Buffer

  /** @throws Problem where a certificate and its key do not fit or cannot be read */
  constructor([first, ...further]: CertificatePairs, ticketKeys: Uint8Array = randomBytes(48)) {
    this.ticketKeys = Buffer.from(ticketKeys)
    const made = (pair: CertificatePair): Identity => identity(pair, this.ticketKeys)
    this.#identities = [made(first), ...further.map(made)]
  }

  /** For listeners that make the context of the default certificate themselves. */
  get options(): SecureContextOptions & { readonly cert: string; readonly key: string } {
    const { certificate, key } = this.#identities[0]
    return { ...SERVER_TLS, cert: certificate, key, ticketKeys: this.ticketKeys }
  }

  /** What they were made of; another thread can make them anew. */
  get pairs(): CertificatePairs {
    const [first, ...further] = this.#identities
    return [pairOf(first), ...further.map(pairOf)]
  }

  /** The default certificate and its key, for what is signed. */
  get pair(): CertificatePair {
    const { certificate, key } = this.#identities[0]
    return { certificate, key }
  }

  get default(): SecureContext {
    return this.#identities[0].context
  }

  /** @param servername what the client asked for (RFC 6066 section 3) */
  named(servername: string): SecureContext {
    const fits = this.#identities.find(
      ({ parsed }) => parsed.checkHost(servername, { subject: 'never' }) !== undefined,
    )
    return (fits ?? this.#identities[0]).context
  }

  /** When the first of them ends, milliseconds since the epoch. */
  get expiry(): number {
    return Math.min(...this.#identities.map(({ parsed }) => parsed.validToDate.getTime()))
  }

  /** For people: the names of every certificate. */
  get names(): readonly string[] {
    return this.#identities.map(({ parsed }) => namesOf(parsed))
  }
}

/** @returns `relay.example.org, *.example.net`, or `no name` */
export function namesOf({ subjectAltName = '' }: X509Certificate): string {
  return subjectAltName.replaceAll(/(?:DNS|IP Address):/g, '') || 'no name'
}

function pairOf({ certificate, key }: CertificatePair): CertificatePair {
  return { certificate, key }
}

function identity(pair: CertificatePair, ticketKeys: Buffer): Identity {
  try {
    const parsed = new X509Certificate(pair.certificate)
    if (!parsed.checkPrivateKey(createPrivateKey(pair.key))) {
      throw new Problem('the key does not belong to the certificate')
    }
    const { certificate: cert, key } = pair
    const context = createSecureContext({ ...SERVER_TLS, cert, key, ticketKeys })
    return { ...pair, parsed, context }
  } catch (error) {
    throw new Problem(`certificate and key cannot be used: ${messageOf(error)}`, { cause: error })
  }
}
