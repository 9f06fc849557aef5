import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/*
 * Where the connection below a TLS socket is gone, Node asks OpenSSL for the version of nothing, and the process dies of
 * it (SSL_get_version). So it is asked once, when the handshake has ended.
 */

/** The protocol of a connection whose handshake has just ended, `TLSv1.3`, or '' for clear text. */
export function tlsProtocolOf(socket: Socket): string {
  return socket instanceof TLSSocket ? (socket.getProtocol() ?? '') : ''
}

/** Lets a library that asks at any time have what was true when the handshake ended; before that, null. */
export function keepProtocol(socket: TLSSocket): void {
  let protocol: string | null = null
  const ask = socket.getProtocol.bind(socket)
  // Before whoever else waits for it, and asks at once.
  socket.prependOnceListener('secure', () => {
    protocol = ask()
  })
  socket.getProtocol = () => protocol
}
