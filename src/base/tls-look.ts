import { isIP } from 'node:net'
import { checkServerIdentity, connect, type PeerCertificate } from 'node:tls'

import { SECOND } from './clock.ts'
import { codeOf, messageOf } from './problem.ts'

export interface TlsLookOptions {
  readonly host: string
  readonly port: number
  /** PEM of the authority to trust instead of the usual ones. */
  readonly ca?: string
  /** The name that the certificate has to bear, where it is not the host. */
  readonly servername?: string
}

/** Whether a client can have TLS there, and what is in its way: each has another remedy. */
export type TlsLook =
  | { readonly kind: 'well' }
  | { readonly kind: 'unreachable'; readonly why: string }
  /** From an authority that is not trusted. */
  | { readonly kind: 'untrusted'; readonly why: string }
  | { readonly kind: 'other-name'; readonly names: readonly string[] }

/** Connects, shakes hands, and leaves without a word. Never throws. */
export function lookAtTls({ host, port, ca, servername }: TlsLookOptions): Promise<TlsLook> {
  const name = servername ?? host
  return new Promise(resolve => {
    const socket = connect({
      host,
      port,
      ...(ca !== undefined && { ca }),
      ...(isIP(name) === 0 && { servername: name }),
      // Looked at below, so that a wrong name is told from a wrong authority.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      timeout: 10 * SECOND,
    })
    const end = (look: TlsLook): void => {
      socket.destroy()
      resolve(look)
    }
    socket.once('secureConnect', () => {
      const certificate = socket.getPeerCertificate()
      if (!socket.authorized) {
        end({ kind: 'untrusted', why: messageOf(socket.authorizationError) })
      } else if (checkServerIdentity(name, certificate) !== undefined) {
        end({ kind: 'other-name', names: namesIn(certificate) })
      } else {
        end({ kind: 'well' })
      }
    })
    socket.once('timeout', () => end({ kind: 'unreachable', why: 'no answer within 10 s' }))
    socket.once('error', (error: Error) => end({ kind: 'unreachable', why: whyOf(error) }))
  })
}

function namesIn({ subjectaltname = '' }: PeerCertificate): readonly string[] {
  return [...subjectaltname.matchAll(/DNS:([^,\s]+)/g)].map(match => match[1] ?? '')
}

function whyOf(error: Error): string {
  const code = codeOf(error)
  if (code === 'ECONNREFUSED') return 'nothing listens there'
  if (code === 'ENOTFOUND') return 'there is no such host name'
  return messageOf(error)
}
