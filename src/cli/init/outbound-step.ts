import { lookOutbound } from '../../app/outbound-look.ts'
import { lookAtTls } from '../../base/tls-look.ts'
import { isLoopback } from '../../config/loopback.ts'
import { never, WELL, type Finding, type GivenSecret, type Interview } from './interview.ts'

/** How mail leaves: the section `delivery` of relay.yaml, where it says something. */
export interface OutboundAnswers {
  readonly section: Readonly<Record<string, unknown>> | undefined
  readonly secret: GivenSecret | undefined
}

const NONE = '-'

/** Tries to reach the seeds' providers on port 25; asks for a smarthost only where that does not go. */
export async function askOutbound(
  interview: Interview,
  domains: readonly string[],
): Promise<OutboundAnswers> {
  const { book } = interview
  const nameservers = (book.get('outbound.nameservers') ?? '').split(/\s+/).filter(Boolean)
  const port = Number(book.get('outbound.port') ?? 25)
  const direct = {
    ...(nameservers.length > 0 && { nameservers }),
    ...(port !== 25 && { port }),
    ...(book.get('outbound.allow_loopback') === 'true' && { allow_loopback: true }),
  }
  const straight = Object.keys(direct).length > 0 ? { direct } : undefined
  if (book.get('outbound.smarthost') === undefined) {
    const closed: string[] = []
    for (const domain of new Set(domains)) {
      const look = await lookOutbound({ domain, nameservers, port })
      if (look.kind === 'open')
        interview.say('', `Outbound port ${port} is open: ${look.host} says ${look.greeting}`)
      else closed.push(`${domain}: ${look.why}`)
    }
    if (closed.length === 0) return { section: straight, secret: undefined }
    interview.say('', ...closed.map(line => `  ! Mail for ${line}.`))
  }
  const smarthost = await interview.ask({
    key: 'outbound.smarthost',
    ask: 'Smarthost',
    why: `Where outbound port ${port} is closed, as many providers of servers have it, mail can leave through another server: HOST, HOST:PORT, or ${NONE} for none (then mail waits until the port is open).`,
    unless: NONE,
    test: text => testSmarthost(interview, text),
  })
  if (smarthost === NONE) return { section: straight, secret: undefined }
  const { host, port: its } = placeOf(smarthost)
  const tls = tlsOf(interview, smarthost)
  const username = await interview.ask({
    key: 'outbound.username',
    ask: 'Login there',
    why: `The login at ${host}, or ${NONE} where it wants none.`,
    unless: NONE,
  })
  const secret =
    username === NONE
      ? undefined
      : await interview.secret({
          key: 'outbound.password',
          ask: 'Its password',
          why: `It is used with the first mail that leaves.`,
          file: 'smarthost-password',
        })
  return {
    section: {
      smarthost: {
        host,
        port: its,
        tls,
        ...(secret !== undefined && { username, password_file: secret.path }),
      },
    },
    secret,
  }
}

async function testSmarthost(interview: Interview, text: string): Promise<Finding> {
  if (text === NONE) return WELL
  const { host, port } = placeOf(text)
  if (!/^[a-z0-9.:[\]-]+$/i.test(host) || !(port > 0 && port < 65_536)) {
    return never('should be HOST, HOST:PORT, or -')
  }
  if (tlsOf(interview, text) !== 'implicit') return WELL
  const look = await lookAtTls({ host, port })
  switch (look.kind) {
    case 'well':
      return { ok: true, text: 'It answers with a certificate that is trusted.' }
    case 'unreachable':
      return { ok: false, text: `It cannot be reached: ${look.why}.` }
    case 'untrusted':
      return { ok: false, text: `Its certificate is not trusted: ${look.why}.` }
    case 'other-name':
      return { ok: false, text: `Its certificate is for ${look.names.join(', ')}.` }
  }
}

function placeOf(text: string): { readonly host: string; readonly port: number } {
  const [, host = text, port = '465'] = /^(.*):(\d+)$/.exec(text) ?? []
  return { host, port: Number(port) }
}

/** By the port, unless told: 465 is TLS from the start, others begin in clear. */
function tlsOf({ book }: Interview, smarthost: string): string {
  const told = book.get('outbound.tls')
  if (told !== undefined) return told
  const { host, port } = placeOf(smarthost)
  if (port === 465) return 'implicit'
  return isLoopback(`smtp://${host}`) ? 'none' : 'starttls'
}
