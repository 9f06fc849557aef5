import type { Server, Socket } from 'node:net'

import { createServer } from 'ldapjs'

/** What of ldapjs is used here; its types leave handlers untyped. */
interface Request {
  readonly connection: Socket & { readonly ldap: { readonly bindDN: { toString(): string } } }
  readonly filter: { matches(attributes: object): boolean }
}
interface Response {
  attributes: string[]
  responseValue?: string
  send(entry: object): void
  end(code?: number): void
}
type Next = () => void

export const READER = 'cn=reader,dc=example,dc=org'

/**
 * An LDAP server with one person, alice, that has neither change numbers nor paging; her password is for the
 * reader's eyes only.
 */
export async function startPlainLdap(behaviour: {
  readonly hash: string
  /** Answer to who-am-I; undefined does not know the question. */
  readonly identity?: string
  /** Result code after the one entry; 0, success, if undefined. */
  readonly ends?: number
}): Promise<{
  readonly url: string
  stop(): Promise<void>
  /** Closes every connection from this side. */
  drop(): void
  /** Connections there are, and were. */
  open(): number
  accepted(): number
}> {
  const server = createServer()
  const sockets = new Set<Socket>()
  let accepted = 0
  ;(server as unknown as { server: Server }).server.on('connection', socket => {
    accepted++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.bind(READER, (_request: Request, response: Response, next: Next) => {
    response.end()
    next()
  })
  server.search('dc=example,dc=org', (request: Request, response: Response, next: Next) => {
    const attributes = {
      objectclass: ['inetOrgPerson'],
      uid: ['alice'],
      userpassword: [behaviour.hash],
    }
    // ldapjs compares names with case.
    response.attributes = response.attributes.map(name => name.toLowerCase())
    const anonymous = request.connection.ldap.bindDN.toString() !== READER
    const visible = anonymous ? { ...attributes, userpassword: [] } : attributes
    if (request.filter.matches(attributes)) {
      response.send({ dn: 'uid=alice,dc=example,dc=org', attributes: visible })
    }
    response.end(behaviour.ends ?? 0)
    next()
  })
  const { identity } = behaviour
  if (identity !== undefined) {
    server.exop('1.3.6.1.4.1.4203.1.11.3', (_request: Request, response: Response, next: Next) => {
      response.responseValue = identity
      response.end()
      next()
    })
  }
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: server.url,
    drop: () => {
      for (const socket of sockets) socket.end()
    },
    open: () => sockets.size,
    accepted: () => accepted,
    stop: () => new Promise(resolve => server.close(() => resolve())),
  }
}
