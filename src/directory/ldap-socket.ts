import { connect as connectTcp, isIP, type Socket } from 'node:net'
import {
  checkServerIdentity,
  connect as connectTls,
  type ConnectionOptions,
  type TLSSocket,
} from 'node:tls'

import type { Secret } from '../base/secret.ts'

export interface LdapConnection {
  /** `ldaps://host` or `ldap://host`, with a port where it is not the usual one. */
  readonly url: string
  /** Upgrade an `ldap://` connection before anything is said on it (RFC 4511 section 4.14). */
  readonly startTls: boolean
  /** PEM of the authority to trust instead of the system's. */
  readonly ca?: string
  /** The name the certificate must bear, where it is not the host of the URL. */
  readonly servername?: string
  readonly bindDn: string
  readonly bindPassword: Secret
  /** Milliseconds until connected, and for each operation. */
  readonly operationTimeout: number
}

/** Hands ldapts its one socket and keeps hold of it, so that giving up is possible at any moment. */
export class OneSocket {
  readonly #connection: LdapConnection
  #tcp: Socket | undefined
  #tls: TLSSocket | undefined

  constructor(connection: LdapConnection) {
    this.#connection = connection
  }

  readonly tcp = (port: number, host: string): Socket => {
    if (this.#tcp !== undefined) throw new Error('connection lost')
    this.#tcp = connectTcp(port, host)
    return this.#tcp
  }

  readonly tls = (first: number | ConnectionOptions, host = ''): TLSSocket => {
    if (this.#tls !== undefined) throw new Error('connection lost')
    const { ca, servername, url } = this.#connection
    const name = servername ?? new URL(url).hostname.replaceAll(/^\[|\]$/g, '')
    this.#tls = connectTls({
      ...(typeof first === 'number' ? { port: first, host } : first),
      ...(ca === undefined ? {} : { ca }),
      // An address is what the certificate must bear, but no name to ask for (RFC 6066 section 3).
      ...(isIP(name) === 0 ? { servername: name } : {}),
      checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
      minVersion: 'TLSv1.2',
    })
    return this.#tls
  }

  destroy(): void {
    for (const socket of [this.#tls, this.#tcp]) {
      if (socket === undefined || socket.destroyed) continue
      // An error, since ldapts waits for one, and for nothing else, while it connects.
      socket.on('error', () => undefined)
      socket.destroy(new Error('given up'))
    }
  }
}

/** ldapts puts no limit on the TLS handshake of StartTLS. */
export async function withinTime(
  handshake: Promise<void>,
  sockets: OneSocket,
  { operationTimeout }: LdapConnection,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error('no TLS within the time allowed'))
      sockets.destroy()
    }, operationTimeout)
  })
  handshake.catch(() => undefined)
  try {
    await Promise.race([handshake, late])
  } finally {
    clearTimeout(timer)
  }
}
