import { once } from 'node:events'
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net'

import ldap from 'ldapjs'

import type { Part } from '../base/lifecycle.ts'
import type { Secret } from '../base/secret.ts'
import { BASE_DN, SYNC_DN, type DirectoryEntry } from './people.ts'

export interface DirectoryServerOptions {
  readonly host: string
  /** 0 for any. */
  readonly port: number
  readonly entries: readonly DirectoryEntry[]
  /** Of the identity that may read mail passwords. */
  readonly bindPassword: Secret
}

/** The little of ldapjs that is used here; its own types are `any` throughout. */
interface LdapServer {
  readonly newConnection: (socket: Socket) => void
  bind(dn: string, handler: Handler): void
  search(dn: string, handler: Handler): void
  exop(oid: string, handler: Handler): void
  modify(dn: string, handler: Handler): void
  on(event: 'error' | 'clientError', listener: () => void): void
}
type Handler = (
  request: LdapRequest,
  response: LdapResponse,
  next: (error?: unknown) => void,
) => void
interface LdapRequest {
  readonly dn: { toString(): string }
  readonly credentials: string
  readonly scopeName: 'base' | 'single' | 'subtree'
  readonly sizeLimit: number
  readonly attributes: readonly string[]
  /** Of a modification. */
  readonly changes: readonly {
    readonly operation: string
    readonly modification: { readonly type: string; readonly values: readonly string[] }
  }[]
  readonly filter: { matches(entry: object, strictCase: boolean): boolean }
  readonly connection: { readonly ldap: { readonly bindDN: { toString(): string } } }
}
interface LdapResponse {
  attributes: string[]
  responseValue: string
  send(entry: object): void
  end(status?: number): void
}

const WHO_AM_I = '1.3.6.1.4.1.4203.1.11.3'
const SIZE_LIMIT_EXCEEDED = 4
const MOST_CONNECTIONS = 50
// Shown only where asked for by name (RFC 4512 section 3.4).
const OPERATIONAL = new Set(['entryuuid', 'entrycsn', 'contextcsn', 'namingcontexts'])

/**
 * The embedded LDAP directory. Anybody may read it, but `mailPassword` is shown to one identity alone, so that a
 * reader who has silently become nobody gets people without passwords, as from a real server; and written by its owner
 * alone. `userPassword` is shown to nobody.
 */
export class DirectoryServer implements Part {
  readonly name = 'directory'
  readonly #options: DirectoryServerOptions
  readonly #entries: DirectoryEntry[]
  #changes = 0
  /** Listens itself: the server of ldapjs keeps no list of its connections and so could not be stopped. */
  readonly #listener: Server
  readonly #sockets = new Set<Socket>()

  constructor(options: DirectoryServerOptions) {
    this.#options = options
    const rootDse = { dn: '', attributes: { objectClass: ['top'], namingContexts: [BASE_DN] } }
    this.#entries = [rootDse, ...options.entries]
    const server = ldap.createServer() as unknown as LdapServer
    // Not a fault of ours, and never one that may end the process.
    server.on('error', () => undefined)
    server.on('clientError', () => undefined)
    server.bind('', (request, response, next) => this.#bind(request, response, next))
    server.search('', (request, response, next) => this.#search(request, response, next))
    server.modify('', (request, response, next) => this.#modify(request, response, next))
    server.exop(WHO_AM_I, (request, response, next) => {
      // RFC 4532 section 2: an empty value is nobody.
      const bound = boundDn(request)
      response.responseValue = bound === '' ? '' : `dn:${bound}`
      response.end()
      next()
    })
    this.#listener = createTcpServer(socket => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      server.newConnection(socket)
    })
    this.#listener.maxConnections = MOST_CONNECTIONS
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo | null)?.port ?? 0
  }

  get url(): string {
    return `ldap://${this.#options.host}:${this.port}`
  }

  async start(): Promise<void> {
    this.#listener.listen(this.#options.port, this.#options.host)
    await once(this.#listener, 'listening')
  }

  async stop(): Promise<void> {
    if (!this.#listener.listening) return
    const closed = once(this.#listener, 'close')
    this.#listener.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #bind(request: LdapRequest, response: LdapResponse, next: (error?: unknown) => void): void {
    const dn = request.dn.toString()
    const person = this.#entries.find(entry => sameDn(entry.dn, dn))
    const known = sameDn(dn, SYNC_DN)
      ? request.credentials === this.#options.bindPassword.reveal()
      : person?.attributes['userPassword']?.includes(request.credentials)
    if (known !== true) {
      next(new ldap.InvalidCredentialsError())
      return
    }
    response.end()
    next()
  }

  #modify(request: LdapRequest, response: LdapResponse, next: (error?: unknown) => void): void {
    const dn = request.dn.toString()
    const place = this.#entries.findIndex(entry => entry.dn !== '' && sameDn(entry.dn, dn))
    const entry = this.#entries[place]
    const [change, ...others] = request.changes
    const { operation, modification } = change ?? {}
    const allowed =
      operation === 'replace' && modification?.type === 'mailPassword' && others.length === 0
    if (entry === undefined || !allowed || !sameDn(boundDn(request), dn)) {
      next(new ldap.InsufficientAccessRightsError())
      return
    }
    const number = changeNumber(Date.now(), ++this.#changes)
    this.#entries[place] = withAttributes(entry, {
      mailPassword: [...modification.values],
      entryCSN: [number],
    })
    const root = this.#entries.findIndex(({ dn: suffix }) => suffix === BASE_DN)
    const suffix = this.#entries[root]
    if (suffix !== undefined) {
      this.#entries[root] = withAttributes(suffix, { contextCSN: [number] })
    }
    response.end()
    next()
  }

  #search(request: LdapRequest, response: LdapResponse, next: (error?: unknown) => void): void {
    const base = request.dn.toString()
    const maySeePasswords = sameDn(boundDn(request), SYNC_DN)
    if (!this.#entries.some(entry => sameDn(entry.dn, base))) {
      next(new ldap.NoSuchObjectError(base))
      return
    }
    const wanted = request.attributes.map(attribute => attribute.toLowerCase())
    const found = this.#entries
      .filter(entry => inScope(entry.dn, base, request.scopeName))
      .map(entry => ({ dn: entry.dn, attributes: visible(entry, maySeePasswords) }))
      // Attribute names have no case (RFC 4512 section 2.5); ldapjs compares them with it unless told.
      .filter(entry => request.filter.matches(entry.attributes, false))
    const limit = request.sizeLimit > 0 ? request.sizeLimit : found.length
    // Chosen here: ldapjs would drop attributes that were asked for in mixed case.
    response.attributes = []
    for (const { dn, attributes } of found.slice(0, limit)) {
      const chosen = Object.entries(attributes).filter(([name]) => isWanted(name, wanted))
      response.send({ dn, attributes: Object.fromEntries(chosen) })
    }
    response.end(found.length > limit ? SIZE_LIMIT_EXCEEDED : 0)
    next()
  }
}

/** As OpenLDAP makes them: when, and a count for what happens in the same moment. */
function changeNumber(at: number, count: number): string {
  const time = new Date(at).toISOString().replaceAll(/[-:TZ]/g, '')
  return `${time}000Z#${count.toString(16).padStart(6, '0')}#000#000000`
}

function withAttributes(
  { dn, attributes }: DirectoryEntry,
  more: DirectoryEntry['attributes'],
): DirectoryEntry {
  return { dn, attributes: { ...attributes, ...more } }
}

function visible(entry: DirectoryEntry, maySeePasswords: boolean): Record<string, string[]> {
  const shown = Object.entries(entry.attributes).filter(
    ([name]) => name !== 'userPassword' && (maySeePasswords || name !== 'mailPassword'),
  )
  return Object.fromEntries(shown.map(([name, values]) => [name, [...values]]))
}

function isWanted(name: string, wanted: readonly string[]): boolean {
  const lower = name.toLowerCase()
  if (wanted.includes(lower)) return true
  if (OPERATIONAL.has(lower)) return wanted.includes('+')
  return wanted.length === 0 || wanted.includes('*')
}

function inScope(dn: string, base: string, scope: LdapRequest['scopeName']): boolean {
  if (scope === 'base') return sameDn(dn, base)
  // RFC 4512 section 5.1: the root DSE is found by a base search alone.
  if (dn === '') return false
  if (scope === 'single') return sameDn(parentOf(dn), base)
  return sameDn(dn, base) || canonical(dn).endsWith(`,${canonical(base)}`) || base === ''
}

function parentOf(dn: string): string {
  return dn === BASE_DN ? '' : dn.slice(dn.indexOf(',') + 1)
}

/** The DN somebody is bound as, '' for nobody: ldapjs calls that cn=anonymous. */
function boundDn(request: LdapRequest): string {
  const dn = request.connection.ldap.bindDN.toString()
  return dn === 'cn=anonymous' ? '' : dn
}

// The demo's DNs have no escapes.
function sameDn(one: string, other: string): boolean {
  return canonical(one) === canonical(other)
}

function canonical(dn: string): string {
  return dn.toLowerCase().replaceAll(/\s*,\s*/g, ',')
}
