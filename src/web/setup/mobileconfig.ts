import { createHash } from 'node:crypto'

import { outgoingWays, type ClientSettings } from '../../mail/client-settings.ts'
import { xml, type Html } from '../html.ts'

/**
 * A configuration profile for Apple's Mail on Mac, iPhone and iPad: a property list with one payload `com.apple.mail.managed`.
 *
 * @param login of who is to be asked for less; without it the device asks for address and user name
 */
export function mobileconfig(facts: ClientSettings, login: string | undefined): string {
  const { hostname, domains, organisation, incoming } = facts
  const server = incoming.find(({ type }) => type === 'imap') ?? incoming[0]
  const [way] = outgoingWays(facts)
  if (server === undefined || way === undefined) throw new RangeError('a profile needs two servers')
  const address = login === undefined ? undefined : `${login}@${domains[0]}`
  const identifier = `${hostname.split('.').toReversed().join('.')}.mail`
  // The same person gets the same identifiers again, so that a second profile takes the place of the first.
  const uuid = (what: string): string => uuidOf([what, hostname, ...domains, address ?? ''])
  const account: Dictionary = {
    PayloadType: 'com.apple.mail.managed',
    PayloadVersion: 1,
    PayloadIdentifier: `${identifier}.account`,
    PayloadUUID: uuid('account'),
    PayloadDisplayName: organisation,
    EmailAccountDescription: organisation,
    EmailAccountType: server.type === 'imap' ? 'EmailTypeIMAP' : 'EmailTypePOP',
    ...(address !== undefined && { EmailAddress: address }),
    IncomingMailServerAuthentication: 'EmailAuthPassword',
    IncomingMailServerHostName: server.host,
    IncomingMailServerPortNumber: server.port,
    IncomingMailServerUseSSL: true,
    ...(login !== undefined && {
      IncomingMailServerUsername: server.username === 'address' ? (address ?? login) : login,
    }),
    OutgoingMailServerAuthentication: 'EmailAuthPassword',
    OutgoingMailServerHostName: hostname,
    OutgoingMailServerPortNumber: way.port,
    OutgoingMailServerUseSSL: true,
    ...(login !== undefined && { OutgoingMailServerUsername: login }),
    // The mail password is one of its own.
    OutgoingPasswordSameAsIncomingPassword: false,
  }
  const profile: Dictionary = {
    PayloadType: 'Configuration',
    PayloadVersion: 1,
    PayloadIdentifier: identifier,
    PayloadUUID: uuid('profile'),
    PayloadDisplayName: `Mail of ${organisation}`,
    PayloadOrganization: organisation,
    PayloadContent: [account],
  }
  const document = xml`<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
${plist(profile)}
</plist>
`
  return `<?xml version="1.0" encoding="UTF-8"?>\n${document.toString()}`
}

type Value = string | number | boolean | Dictionary | readonly Value[]
interface Dictionary {
  readonly [key: string]: Value
}

function plist(value: Value): Html {
  if (typeof value === 'string') return xml`<string>${value}</string>`
  if (typeof value === 'number') return xml`<integer>${value}</integer>`
  if (typeof value === 'boolean') return value ? xml`<true/>` : xml`<false/>`
  if (isList(value)) return xml`<array>\n${value.map(plist)}\n</array>`
  const entries = Object.entries(value).map(
    ([key, held]) => xml`<key>${key}</key>\n${plist(held)}\n`,
  )
  return xml`<dict>\n${entries}</dict>`
}

function isList(value: Dictionary | readonly Value[]): value is readonly Value[] {
  return Array.isArray(value)
}

/** RFC 9562 section 5.8: made from a hash of our own choice. */
function uuidOf(parts: readonly string[]): string {
  const hash = createHash('sha256').update(parts.join('\0')).digest()
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x80, 6)
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8)
  const text = hash.toString('hex', 0, 16).toUpperCase()
  return text.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5')
}
