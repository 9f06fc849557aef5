import type { Principal } from '../../directory/principal.ts'
import { allowedBy, formatAddress, isAscii, parseAddress } from '../../mail/address.ts'
import type { Originators } from '../../mail/originators.ts'
import { printable, type Reply } from '../../mail/reply.ts'
import {
  BAD_FORWARD_PATH,
  BAD_PATH,
  NON_ASCII_ADDRESS,
  reply,
  TOO_MANY_RECIPIENTS,
} from './replies.ts'

/** What a session may do: no input but its arguments, no effect but its answer. */
export interface SessionPolicy {
  /**
   * Whether a login may use the null reverse path, as receipts must (RFC 8098 section 3). Its From is held against
   * the login all the same.
   */
  readonly nullReversePath: 'allow' | 'reject'
  /** Where `<postmaster>` without a domain goes (RFC 5321 section 4.5.1). */
  readonly postmaster: string
  readonly recipients: number
}

/** A refusal: what the client reads, and what may stand in a log, which names no address. */
export interface Refusal {
  readonly kind: 'refused'
  readonly reply: Reply
  readonly reason: string
}

type Judged = { readonly kind: 'allowed'; readonly address: string } | Refusal

/**
 * May this principal use this reverse path (RFC 6409 section 6.1)?
 *
 * @param path without angle brackets; '' is the null path
 */
export function judgeReversePath(
  path: string,
  principal: Principal,
  options: { readonly smtputf8: boolean },
  policy: SessionPolicy,
): Judged {
  if (path === '') {
    if (policy.nullReversePath === 'allow') return { kind: 'allowed', address: '' }
    return refusal(reply(550, '5.7.1', 'Reports are not submitted here'), 'null reverse path')
  }
  const parsed = parseAddress(path)
  if (parsed === undefined || parsed.domain === '') return refusal(BAD_PATH, 'malformed address')
  // RFC 6531 section 3.5
  if (!isAscii(path) && !options.smtputf8) return refusal(NON_ASCII_ADDRESS, 'needs SMTPUTF8')
  const address = formatAddress(parsed)
  if (maySendAs(principal, address)) return { kind: 'allowed', address }
  return refusal(notYours(address, principal), 'sender is not the login')
}

/**
 * May there be this recipient? Nothing here knows who exists.
 *
 * @param taken how many recipients the message has
 */
export function judgeRecipient(
  path: string,
  taken: number,
  options: { readonly smtputf8: boolean },
  policy: SessionPolicy,
): Judged {
  const parsed = parseAddress(path)
  if (parsed === undefined) return refusal(BAD_FORWARD_PATH, 'malformed address')
  if (!isAscii(path) && !options.smtputf8) return refusal(NON_ASCII_ADDRESS, 'needs SMTPUTF8')
  // RFC 5321 section 4.5.3.1.10
  if (taken >= policy.recipients) return refusal(TOO_MANY_RECIPIENTS, 'too many recipients')
  if (parsed.domain === '') return { kind: 'allowed', address: policy.postmaster }
  if (parsed.domain.startsWith('[')) {
    const text = 'Mail is delivered to domains, not to address literals'
    return refusal(reply(550, '5.1.2', text), 'address literal')
  }
  // RFC 6409 section 4.2
  if (!parsed.domain.includes('.')) {
    return refusal(reply(554, '5.5.4', 'Domain must be fully qualified'), 'unqualified domain')
  }
  return { kind: 'allowed', address: formatAddress(parsed) }
}

/** May a message that claims these originators come from this principal (RFC 6409 section 6.1)? */
export function judgeOriginators(claimed: Originators, principal: Principal): Refusal | undefined {
  if (!claimed.ok) return refusal(reply(554, '5.6.0', claimed.problem), 'originators are unclear')
  for (const [field, addresses] of [
    ['From', claimed.from],
    ['Sender', claimed.sender],
  ] as const) {
    const foreign = addresses.find(address => !maySendAs(principal, address))
    if (foreign !== undefined) {
      return refusal(notYours(foreign, principal, field), `${field} is not the login`)
    }
  }
  return undefined
}

function maySendAs({ addresses, domains = [] }: Principal, address: string): boolean {
  if (allowedBy(addresses, address)) return true
  const domain = parseAddress(address)?.domain
  return domain !== undefined && domains.includes(domain)
}

function notYours(address: string, principal: Principal, field = 'Sender'): Reply {
  // A reply line has 512 octets (RFC 5321 section 4.5.3.1.5).
  const own: string[] = []
  const all = [...principal.addresses, ...(principal.domains ?? []).map(domain => `@${domain}`)]
  for (const text of all) {
    if ([...own, text].join(', ').length > 250) break
    own.push(text)
  }
  const more = all.length - own.length
  const list = own.join(', ') + (more > 0 ? ` and ${more} more` : '')
  const may = all.length === 0 ? 'You may not send' : `You may send as ${list}`
  const shown = address.length > 100 ? `${address.slice(0, 100)}...` : address
  return reply(550, '5.7.1', printable(`${field} ${shown} is not yours. ${may}`))
}

function refusal(answer: Reply, reason: string): Refusal {
  return { kind: 'refused', reply: answer, reason }
}
