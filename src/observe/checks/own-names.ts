import type { Finding } from '../../base/finding.ts'
import type { Questions } from './questions.ts'

type Asked = Pick<Questions, 'addresses' | 'names'>

const WHO_REFUSES = 'Gmail (550 5.7.25), Yahoo and many others refuse mail from such an address.'

/** Whether an address has a name that leads back to it, as receivers look (RFC 8601 section 2.7.3, `iprev`). */
export async function reverseName(address: string, hostname: string, dns: Asked): Promise<Finding> {
  const found = (state: Finding['state'], detail: string, advice = ''): Finding => ({
    check: 'reverse-name',
    about: address,
    state,
    detail,
    advice,
  })
  const toSet = `Have whoever gives you ${address} set its reverse name to ${hostname}.`
  const names = await dns.names(address)
  if (names.kind === 'unavailable') return found('unknown', `cannot be asked: ${names.cause}`)
  if (names.kind !== 'found') return found('bad', 'has no reverse name', `${toSet} ${WHO_REFUSES}`)
  // Receivers look at a few names only, and we at as many.
  const ahead = await Promise.all(
    names.value.slice(0, 10).map(async name => ({ name, answer: await dns.addresses(name) })),
  )
  const confirmed = ahead.find(
    ({ answer }) => answer.kind === 'found' && answer.value.some(other => same(other, address)),
  )
  if (confirmed !== undefined) {
    return confirmed.name.toLowerCase() === hostname
      ? found('good', `is ${hostname}, which leads back to it`)
      : found(
          'doubtful',
          `is ${confirmed.name}, which leads back to it, but this server says ${hostname}`,
          `${toSet} Some filters want the two to be the same.`,
        )
  }
  const blind = ahead.find(({ answer }) => answer.kind === 'unavailable')
  return blind === undefined
    ? found(
        'bad',
        `is ${names.value.join(', ')}, which does not lead back to it`,
        `${toSet} ${WHO_REFUSES}`,
      )
    : found('unknown', `is ${blind.name}, whose address cannot be asked`)
}

/** Whether the name in EHLO is one that a receiver can look up (RFC 5321 section 4.1.1.1), and leads here. */
export async function heloName(
  hostname: string,
  addresses: readonly string[],
  dns: Asked,
): Promise<Finding> {
  const found = (state: Finding['state'], detail: string, advice = ''): Finding => ({
    check: 'helo',
    about: hostname,
    state,
    detail,
    advice,
  })
  const answer = await dns.addresses(hostname)
  if (answer.kind === 'unavailable') return found('unknown', `cannot be asked: ${answer.cause}`)
  if (answer.kind !== 'found') {
    return found(
      'bad',
      'has no address',
      `Publish an A record of ${hostname}; many servers refuse a name that does not exist.`,
    )
  }
  const strange = addresses.filter(address => !answer.value.some(other => same(other, address)))
  return strange.length === 0
    ? found('good', `is ${answer.value.join(', ')}`)
    : found(
        'doubtful',
        `is ${answer.value.join(', ')}, and mail leaves from ${strange.join(', ')}`,
        `Publish ${strange.join(', ')} as addresses of ${hostname} too, or correct checks.addresses.`,
      )
}

/** Whether two texts are one address: IPv6 has many spellings. */
function same(one: string, other: string): boolean {
  return (
    one === other ||
    (one.includes(':') && other.includes(':') && canonical(one) === canonical(other))
  )
}

function canonical(address: string): string {
  return new URL(`http://[${address.replace(/%.*$/, '')}]/`).hostname
}
