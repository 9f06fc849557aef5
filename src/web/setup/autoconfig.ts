import {
  outgoingWays,
  type ClientSettings,
  type IncomingServer,
  type OutgoingWay,
} from '../../mail/client-settings.ts'
import { xml, type Html } from '../html.ts'

/** Where programs look for it: at the domain itself (RFC 8615), and at the host autoconfig.DOMAIN. */
export const AUTOCONFIG_PATHS = [
  '/.well-known/autoconfig/mail/config-v1.1.xml',
  '/mail/config-v1.1.xml',
] as const

const SOCKET = { implicit: 'SSL', starttls: 'STARTTLS' } as const

/**
 * The document of draft-ietf-mailmaint-autoconfig, which Thunderbird, Evolution, K-9 and others read. The program puts in
 * the address itself, so that everybody is told the same.
 */
export function autoconfig(facts: ClientSettings): string {
  const { domains, organisation, incoming } = facts
  const document = xml`<clientConfig version="1.1">
  <emailProvider id="${domains[0]}">
${domains.map(domain => xml`    <domain>${domain}</domain>\n`)}    <displayName>${organisation}</displayName>
    <displayShortName>${organisation}</displayShortName>
${incoming.map(incomingServer)}${outgoingWays(facts).map(way => outgoingServer(facts.hostname, way))}  </emailProvider>
</clientConfig>
`
  return `<?xml version="1.0" encoding="UTF-8"?>\n${document.toString()}`
}

function incomingServer({ type, host, port, tls, username }: IncomingServer): Html {
  const name = username === 'address' ? '%EMAILADDRESS%' : '%EMAILLOCALPART%'
  return xml`    <incomingServer type="${type}">
${server(host, port, SOCKET[tls], name)}    </incomingServer>
`
}

function outgoingServer(hostname: string, { port, tls }: OutgoingWay): Html {
  return xml`    <outgoingServer type="smtp">
${server(hostname, port, SOCKET[tls], '%EMAILLOCALPART%')}    </outgoingServer>
`
}

function server(host: string, port: number, socket: string, username: string): Html {
  return xml`      <hostname>${host}</hostname>
      <port>${port}</port>
      <socketType>${socket}</socketType>
      <username>${username}</username>
      <authentication>password-cleartext</authentication>
`
}
