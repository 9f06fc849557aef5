import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import { SMTPServer } from 'smtp-server'
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { certificate, PASSWORD } from '../relay/submission/fixture.ts'
import { find, type Stored } from './check.ts'
import { CHECKS } from './checks/all.ts'

/*
 * A judge that finds nothing anywhere proves nothing. smtp-server without our subclass is known to do these things
 * wrong, and no others: every one must be found, and nothing else.
 */
const KNOWN_FAULTS: ReadonlyMap<string, string> = new Map([
  ['C05', 'executes lines that end in a bare LF'],
  ['T06', 'speaks TLS 1.0'],
  ['A01', 'offers AUTH in clear text'],
  ['A07', 'decodes base64 leniently'],
  ['A09', 'closes for a long response'],
  ['A12', 'takes AUTH within a transaction'],
  ['A16', 'lets anybody guess for ever'],
  ['E03', 'keeps the parameters of a refused MAIL'],
  ['E04', 'takes unknown parameters'],
  ['E07', 'takes any ENVID'],
  ['E13', 'takes Foo@ and foo@ for one'],
  ['E15', 'knows no quoted local parts'],
  ['E16', 'takes addresses outside ASCII without SMTPUTF8'],
  ['E19', 'takes lines of any length'],
  ['C18', 'obeys REQUIRETLS where it is not listed'],
  ['T08', 'takes MAIL in clear text where a login is optional'],
  ['A13', 'takes MAIL without a login where a login is optional'],
  ['A15', 'leaves it to the application to look at the authorisation identity'],
  ['D02', 'keeps bare newlines'],
  // What follows is left to the application, and this one does none of it.
  ['D05', 'takes what is over the size'],
  ['E14', 'passes on a domain that is none'],
  ['D08', 'does not mark eight bits'],
  ['D09', 'adds no Received'],
  ['D11', 'takes what goes round in circles'],
  ['D12', 'takes any author'],
])

/** Without the tenth of a second before every greeting, which would be most of this file's time. */
class PromptServer extends SMTPServer {
  override connect(...[socket, options]: Parameters<SMTPServer['connect']>): void {
    const connection = new PromptConnection(this, socket, options)
    this.connections.add(connection)
    connection.on('error', () => undefined)
    connection.init()
  }
}

class PromptConnection extends SMTPConnection {
  override init(): void {
    this._setListeners(() => this.connectionReady())
  }
}

/** What a standard permits and does not recommend. */
const KNOWN_LATITUDE: ReadonlyMap<string, string> = new Map([
  ['C12', 'takes DATA with an argument'],
  ['A14', 'takes any AUTH='],
])

describe('the judge, before smtp-server as it is', () => {
  const messages: Stored[] = []
  let server: SMTPServer
  beforeAll(async () => {
    const { certificate: cert, key } = await certificate()
    server = new PromptServer({
      name: 'bare.example.org',
      key,
      cert,
      // OpenSSL itself refuses TLS 1.0 at any higher level.
      ciphers: 'DEFAULT@SECLEVEL=0',
      logger: false,
      disableReverseLookup: true,
      hideDSN: false,
      hideENHANCEDSTATUSCODES: false,
      authOptional: true,
      size: 200_000,
      closeTimeout: 100,
      onAuth: (auth, _session, done) =>
        done(
          null,
          auth.username === 'alice' && auth.password === PASSWORD ? { user: 'alice' } : {},
        ),
      onMailFrom: ({ address }, _session, done) =>
        done(address.endsWith('.invalid') ? new Error('not you') : null),
      onData: (stream, session, done) => {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => {
          messages.push({
            content: Buffer.concat(chunks),
            recipients: session.envelope.rcptTo.map(({ address }) => address),
            eightBit: session.envelope.bodyType === '8bitmime',
          })
          done()
        })
      },
    })
    server.on('error', () => undefined)
    server.listen(0, '127.0.0.1')
    await once(server.server, 'listening')
  })
  afterAll(async () => {
    await new Promise<void>(resolve => server.close(resolve))
    await sleep(0)
  })

  it.for(CHECKS)('is right about $id', async check => {
    const { port } = server.server.address() as AddressInfo
    const finding = await find(check, {
      endpoint: { host: '127.0.0.1', port, tls: 'starttls' },
      login: 'alice',
      password: PASSWORD,
      sender: 'alice@example.org',
      recipient: 'bob@example.net',
      drastic: check.id === 'A16',
      stored: marker => messages.filter(({ content }) => content.includes(marker)),
    })
    const known = KNOWN_FAULTS.has(check.id)
      ? ['non-conformant']
      : KNOWN_LATITUDE.has(check.id)
        ? ['latitude']
        : ['conformant', 'latitude', 'inconclusive']
    expect(known, finding.detail).toContain(finding.outcome)
  })
})
