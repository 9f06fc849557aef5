import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:tls'

import { messageOf } from '../../base/problem.ts'
import { lookAtTls } from '../../base/tls-look.ts'
import { complaintsOf, rereadIdentities } from '../../config/certificates.ts'
import { never, WELL, type Finding, type Interview } from './interview.ts'
import { canRead, type ServiceUser } from './service-user.ts'
import { findPair, keyBeside } from './surroundings.ts'

/** Files that `tls` of relay.yaml names. */
export interface TlsFiles {
  readonly certificate: string
  readonly key: string
}

/** How clients know that the relay is that. The key is not asked for where it stands beside. */
export async function askCertificate(
  interview: Interview,
  hostname: string,
  service: ServiceUser | undefined,
): Promise<TlsFiles> {
  const testPair = (pair: TlsFiles): Finding => testedPair(hostname, pair, service)
  const found = findPair(hostname)
  const certificate = await interview.ask({
    key: 'certificate',
    ask: 'Certificate',
    why: `Logins need TLS: the file with the certificate for ${hostname} and its chain, PEM.${
      found === undefined
        ? ' None was found where certbot, dehydrated and others keep them.'
        : ' This one was found on this host:'
    }`,
    ...(found !== undefined && { unless: found.certificate }),
    test: path => {
      const key = interview.book.get('key') ?? keyBeside(path)
      if (key !== undefined) return testPair({ certificate: path, key })
      return testedCertificate(hostname, path)
    },
  })
  const beside = interview.book.get('key') ?? keyBeside(certificate)
  if (beside !== undefined && testPair({ certificate, key: beside }).ok) {
    return { certificate, key: beside }
  }
  const key = await interview.ask({
    key: 'key',
    ask: 'Private key',
    why: 'The key of that certificate is not beside it: the file with it, PEM.',
    test: path => testPair({ certificate, key: path }),
  })
  return { certificate, key }
}

/** As far as can be told without its key. */
function testedCertificate(hostname: string, path: string): Finding {
  let octets: Buffer
  try {
    octets = readFileSync(path)
  } catch (error) {
    return never(messageOf(error))
  }
  try {
    const complaints = [...complaintsOf(new X509Certificate(octets), { hostname, now: Date.now() })]
    return complaints.length === 0 ? WELL : never(`${path} ${complaints.join('; ')}`)
  } catch (error) {
    return never(`${path} should be PEM, beginning with the certificate: ${messageOf(error)}`)
  }
}

function testedPair(hostname: string, tls: TlsFiles, service: ServiceUser | undefined): Finding {
  try {
    rereadIdentities({ hostname, tls }, Date.now())
    if (!canRead(service, tls.key) || !canRead(service, tls.certificate)) {
      const text = `The service may not read ${tls.key}, as its user mailcanary: docs/installation.md has a hook that copies it at each renewal.`
      return { ok: false, text }
    }
    return { ok: true, text: `It is for ${hostname}, it is valid now, and ${tls.key} is its key.` }
  } catch (error) {
    return never(messageOf(error))
  }
}

/** A certificate of an authority of one's own is trusted by nobody who is not told to. */
export async function askAuthority(
  interview: Interview,
  hostname: string,
  tls: TlsFiles,
): Promise<string | undefined> {
  const given = interview.book.get('authority')
  if (given === undefined && (await isTrusted(hostname, tls))) return undefined
  return interview.ask({
    key: 'authority',
    ask: 'Authority',
    why: 'Clients of this host do not trust that certificate by themselves. The prober is one: the file with the certificate of the authority, PEM.',
    unless: tls.certificate,
    test: async path => {
      try {
        const ca = readFileSync(path, 'utf8')
        if (await isTrusted(hostname, tls, ca))
          return { ok: true, text: 'With it the certificate is trusted.' }
        return never(`the certificate is not from the authority in ${path}`)
      } catch (error) {
        return never(messageOf(error))
      }
    },
  })
}

/** Asked of TLS itself, between two ends in this process. */
async function isTrusted(hostname: string, tls: TlsFiles, ca?: string): Promise<boolean> {
  const server = createServer({ cert: readFileSync(tls.certificate), key: readFileSync(tls.key) })
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const look = await lookAtTls({
    host: '127.0.0.1',
    port,
    servername: hostname,
    ...(ca !== undefined && { ca }),
  })
  server.close()
  return look.kind === 'well'
}
