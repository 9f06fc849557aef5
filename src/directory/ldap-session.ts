import type { connect as connectTcp } from 'node:net'
import type { connect as connectTls } from 'node:tls'

import {
  Attribute,
  Change,
  Client,
  InappropriateAuthError,
  InsufficientAccessError,
  InvalidCredentialsError,
  NoSuchObjectError,
  ProtocolError,
  ResultCodeError,
  SizeLimitExceededError,
  UnavailableError,
  UnwillingToPerformError,
  type Entry,
} from 'ldapts'

import { messageOf } from '../base/problem.ts'
import { OneSocket, withinTime, type LdapConnection } from './ldap-socket.ts'

export type { LdapConnection } from './ldap-socket.ts'

/** An entry, attribute names in lower case, every value a string; undecodable values are left out. */
export interface LdapEntry {
  readonly dn: string
  values(attribute: string): readonly string[]
}

/**
 * `failed` could not be done, and of a change nobody knows whether it was; `refused` was answered, and what was said must
 * not be believed; `denied` means that the password is not the one of the DN; `declined` that a change was not made.
 */
export type LdapTroubleKind = 'failed' | 'refused' | 'denied' | 'declined'

/** Trouble of the directory, in words for people. */
export class LdapTrouble extends Error {
  readonly kind: LdapTroubleKind

  constructor(kind: LdapTroubleKind, message: string) {
    super(message)
    this.kind = kind
  }
}

/** What can be asked within one connection. */
export interface LdapSession {
  /** Pages of a search, as they come; throws LdapTrouble if anything of it is missing. */
  search(
    base: string,
    scope: 'base' | 'one' | 'sub',
    filter: string,
    attributes: readonly string[],
  ): AsyncGenerator<readonly LdapEntry[]>
  /** One entry, or undefined where there is none that we may read. */
  lookUp(dn: string, attributes: readonly string[]): Promise<LdapEntry | undefined>
  /** RFC 4532: who the server takes us for, '' for nobody; undefined where it does not know the question. */
  whoAmI(): Promise<string | undefined>
  /** Gives an attribute one value instead of all it has. @throws LdapTrouble `declined` if that is certain not to be */
  replace(dn: string, attribute: string, value: string): Promise<void>
}

const WHO_AM_I = '1.3.6.1.4.1.4203.1.11.3'
const PAGE = 250

/**
 * Connects, binds, works and disconnects.
 *
 * A NEW CLIENT FOR EVERY SESSION, AND ONE SOCKET FOR EVERY CLIENT: ldapts reconnects silently and anonymously after
 * a drop, and the next search then returns people without their passwords. Its second connection is refused here.
 */
export async function withLdap<T>(
  connection: LdapConnection,
  signal: AbortSignal,
  work: (session: LdapSession) => Promise<T>,
): Promise<T> {
  const sockets = new OneSocket(connection)
  const client = new Client({
    url: connection.url,
    timeout: connection.operationTimeout,
    connectTimeout: connection.operationTimeout,
    createConnection: sockets.tcp as typeof connectTcp,
    createSecureConnection: sockets.tls as typeof connectTls,
  })
  const abort = (): void => sockets.destroy()
  signal.addEventListener('abort', abort)
  try {
    signal.throwIfAborted()
    if (connection.startTls) await withinTime(client.startTLS({}), sockets, connection)
    await client.bind(connection.bindDn, connection.bindPassword.reveal())
    const result = await work(sessionOf(client))
    await client.unbind()
    return result
  } catch (error) {
    throw signal.aborted ? new LdapTrouble('failed', 'given up') : troubleOf(error)
  } finally {
    signal.removeEventListener('abort', abort)
    sockets.destroy()
  }
}

function sessionOf(client: Client): LdapSession {
  return {
    async *search(base, scope, filter, attributes) {
      const pages = client.searchPaginated(base, {
        scope,
        filter,
        attributes: [...attributes],
        paged: { pageSize: PAGE },
      })
      for await (const page of pages) {
        // A part of the directory lies elsewhere (RFC 4511 section 4.5.3): what we have is not the whole.
        if (page.searchReferences.length > 0) {
          throw new LdapTrouble('refused', 'the directory answered with a referral')
        }
        yield page.searchEntries.map(readable)
      }
    },
    async lookUp(dn, attributes) {
      try {
        const { searchEntries } = await client.search(dn, {
          scope: 'base',
          filter: '(objectClass=*)',
          attributes: [...attributes],
        })
        return searchEntries.map(readable)[0]
      } catch (error) {
        // Not every server has these entries or lets us see them; what is read from them are hints.
        if (error instanceof NoSuchObjectError || error instanceof InsufficientAccessError) {
          return undefined
        }
        throw error
      }
    },
    async whoAmI() {
      try {
        const { value } = await client.exop(WHO_AM_I)
        return value ?? ''
      } catch (error) {
        if (
          error instanceof ProtocolError ||
          error instanceof UnavailableError ||
          error instanceof UnwillingToPerformError
        ) {
          return undefined
        }
        throw error
      }
    },
    async replace(dn, attribute, value) {
      const modification = new Attribute({ type: attribute, values: [value] })
      try {
        await client.modify(dn, new Change({ operation: 'replace', modification }))
      } catch (error) {
        // RFC 4511 section 4.1.9: a result that is not success says that nothing was done. No answer says nothing.
        if (!(error instanceof ResultCodeError)) throw error
        throw new LdapTrouble('declined', `LDAP result ${error.code}: ${messageOf(error)}`)
      }
    },
  }
}

/** ldapts gives [] for an absent attribute, a string for one value, an array for several, Buffers for octets. */
function readable(entry: Entry): LdapEntry {
  const attributes = new Map<string, readonly string[]>()
  for (const [name, value] of Object.entries(entry)) {
    if (name === 'dn') continue
    const values: readonly (string | Buffer)[] = Array.isArray(value) ? value : [value]
    attributes.set(
      name.toLowerCase(),
      values.map(one => (typeof one === 'string' ? one : one.toString('latin1'))),
    )
  }
  return { dn: entry.dn, values: attribute => attributes.get(attribute.toLowerCase()) ?? [] }
}

function troubleOf(error: unknown): LdapTrouble {
  if (error instanceof LdapTrouble) return error
  if (error instanceof SizeLimitExceededError) {
    return new LdapTrouble('refused', 'size limit exceeded: the answer is not the whole directory')
  }
  // The second of an entry that has no password at all (RFC 4511 section 4.2.2).
  if (error instanceof InvalidCredentialsError || error instanceof InappropriateAuthError) {
    return new LdapTrouble('denied', 'the bind DN or its password is wrong')
  }
  if (error instanceof ResultCodeError) {
    return new LdapTrouble('failed', `LDAP result ${error.code}: ${messageOf(error)}`)
  }
  return new LdapTrouble('failed', messageOf(error))
}
