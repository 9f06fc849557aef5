import type { Finding } from '../../base/finding.ts'
import { outgoingWays, type ClientSettings } from '../../mail/client-settings.ts'
import type { Questions } from './questions.ts'

/** A record that helps mail programs, or receivers. */
export interface WantedRecord {
  readonly name: string
  readonly type: 'SRV' | 'CNAME' | 'TXT' | 'PTR'
  readonly data: string
  /** What it is for, in a few words. */
  readonly purpose: string
}

const SRV_OF = { implicit: '_submissions', starttls: '_submission' } as const
const INCOMING_SRV = {
  imap: { implicit: '_imaps', starttls: '_imap' },
  pop3: { implicit: '_pop3s', starttls: '_pop3' },
} as const

/**
 * The records of one domain by which programs find the servers (RFC 6186, RFC 8314 section 5.1).
 *
 * @param web port of the public pages; 0 where there are none
 */
export function wantedRecords(
  domain: string,
  settings: ClientSettings,
  web: number,
): readonly WantedRecord[] {
  const { hostname, incoming } = settings
  const outgoing = outgoingWays(settings).map(({ port, tls }) => ({
    name: `${SRV_OF[tls]}._tcp.${domain}`,
    type: 'SRV' as const,
    data: `0 1 ${port} ${hostname}.`,
    purpose: 'where mail programs hand in mail',
  }))
  const mailboxes = incoming.map(({ type, tls, port, host }, i) => ({
    name: `${INCOMING_SRV[type][tls]}._tcp.${domain}`,
    type: 'SRV' as const,
    // RFC 6186 section 3.3: IMAP is preferred to POP by the lower number.
    data: `${i} 1 ${port} ${host}.`,
    purpose: 'where mail programs read it',
  }))
  // Without mailboxes no program sets itself up, and nobody needs to find the documents.
  if (web === 0 || incoming.length === 0) return [...outgoing, ...mailboxes]
  return [
    ...outgoing,
    ...mailboxes,
    {
      name: `autoconfig.${domain}`,
      type: 'CNAME',
      data: `${hostname}.`,
      purpose: 'Thunderbird and others set themselves up',
    },
    {
      name: `autodiscover.${domain}`,
      type: 'CNAME',
      data: `${hostname}.`,
      purpose: 'Outlook sets itself up',
    },
    {
      name: `_autodiscover._tcp.${domain}`,
      type: 'SRV',
      data: `0 1 ${web} ${hostname}.`,
      purpose: 'Outlook sets itself up',
    },
  ]
}

/** Whether programs find what they look for. */
export async function serviceRecords(
  domain: string,
  settings: ClientSettings,
  web: number,
  dns: Pick<Questions, 'srv' | 'addresses'>,
): Promise<readonly Finding[]> {
  return Promise.all(
    wantedRecords(domain, settings, web).map(async ({ name, type, data, purpose }) => {
      const found = (state: Finding['state'], detail: string, advice = ''): Finding => ({
        check: 'service-records',
        about: name,
        state,
        detail,
        advice,
      })
      const publish = `Publish: ${name}. IN ${type} ${data}`
      const answer = await (type === 'SRV' ? dns.srv(name) : dns.addresses(name))
      if (answer.kind === 'unavailable') return found('unknown', `cannot be asked: ${answer.cause}`)
      if (answer.kind !== 'found')
        return found('doubtful', `is not published (${purpose})`, publish)
      if (type !== 'SRV') return found('good', 'has an address')
      const values = answer.value.flatMap(record =>
        typeof record === 'string' ? [] : [`${record.port} ${record.name.toLowerCase()}.`],
      )
      const [, , port, host] = data.split(' ')
      return values.includes(`${port} ${host}`)
        ? found('good', `is ${values.join(', ')}`)
        : found('bad', `is ${values.join(', ')}, and this server is ${port} ${host}`, publish)
    }),
  )
}

/** Whether a domain takes mail: answers and bounces to what is sent from it have to go somewhere. */
export async function mailExchangers(
  domain: string,
  dns: Pick<Questions, 'mx' | 'addresses'>,
): Promise<Finding> {
  const found = (state: Finding['state'], detail: string, advice = ''): Finding => ({
    check: 'mx',
    about: domain,
    state,
    detail,
    advice,
  })
  const answer = await dns.mx(domain)
  if (answer.kind === 'unavailable') return found('unknown', `cannot be asked: ${answer.cause}`)
  if (answer.kind !== 'found') {
    const own = await dns.addresses(domain)
    return own.kind === 'found'
      ? found(
          'doubtful',
          'has no MX; its own address stands for one (RFC 5321 section 5.1)',
          `Publish an MX of ${domain}: some filters refuse a sender without.`,
        )
      : found(
          'bad',
          'has neither MX nor address: nobody can answer, and Yahoo and others refuse such a sender',
          `Publish an MX of ${domain}.`,
        )
  }
  const hosts = answer.value.filter(host => host !== '' && host !== '.')
  if (hosts.length === 0)
    return found(
      'bad',
      'says that it takes no mail (RFC 7505), so that many refuse mail from it',
      `Publish a real MX of ${domain}.`,
    )
  const lost = await Promise.all(
    hosts.map(async host => ((await dns.addresses(host)).kind.startsWith('no-') ? host : '')),
  )
  const gone = lost.filter(host => host !== '')
  if (gone.length === hosts.length)
    return found(
      'bad',
      `is ${hosts.join(', ')}, of which none has an address`,
      'Correct the MX records.',
    )
  return gone.length > 0
    ? found(
        'doubtful',
        `is ${hosts.join(', ')}, of which ${gone.join(', ')} has no address`,
        'Correct the MX records.',
      )
    : found('good', `is ${hosts.join(', ')}`)
}
