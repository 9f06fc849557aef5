import { dropComments } from './comments.ts'
import type { HeaderField } from './headers.ts'
import type { Provider } from './provider.ts'
import { readReceived } from './received-chain.ts'

/** Result of one check as a provider reported it; `other` is a word we do not know, `absent` is no word at all. */
export const AUTH_RESULTS = [
  'pass',
  'fail',
  'softfail',
  'neutral',
  'none',
  'temperror',
  'permerror',
  'policy',
  'other',
  'absent',
] as const
export type AuthResult = (typeof AUTH_RESULTS)[number]

/** What the receiving provider found out about a message (RFC 8601). Absence is `absent`, never `fail`. */
export interface AuthResults {
  readonly spf: AuthResult
  readonly dkim: AuthResult
  readonly dmarc: AuthResult
}

export const NO_AUTH_RESULTS: AuthResults = { spf: 'absent', dkim: 'absent', dmarc: 'absent' }

/** One `method=result` with its properties. */
export interface AuthCheck {
  /** Lower case: `spf`, `dkim`, `dmarc`, `compauth`, or another. */
  readonly method: string
  readonly result: AuthResult
  /** Lower-case names, values as written: `header.d`, `smtp.mailfrom`, `reason`. */
  readonly properties: ReadonlyMap<string, string>
}

/** One Authentication-Results header. */
export interface AuthenticationResults {
  /** authserv-id in lower case, or '' where there is none (Outlook). */
  readonly host: string
  readonly checks: readonly AuthCheck[]
}

const MAX_VALUE = 16 * 1024
const KNOWN: ReadonlySet<string> = new Set(AUTH_RESULTS.filter(result => result !== 'absent'))

/**
 * Reads the value of an Authentication-Results header as providers write it, which is not as RFC 8601 section 2.2
 * has it: Outlook leaves out the host, Yahoo ends with a semicolon and writes `pass(p=NONE)`. Never fails; what
 * cannot be read is left out.
 */
export function readAuthenticationResults(value: string): AuthenticationResults {
  const plain = dropComments(value.slice(0, MAX_VALUE)).replaceAll(/ ?= ?/g, '=')
  const parts = splitOutsideQuotes(plain, ';')
  const checks: AuthCheck[] = []
  let host = ''
  for (const [index, part] of parts.entries()) {
    const words = splitOutsideQuotes(part, ' ').filter(w => w !== '')
    // Only what stands first can be the host: Outlook's older form has host names between its checks.
    if (index === 0 && words[0] !== undefined && !words[0].includes('=')) {
      host = words[0].toLowerCase()
      continue
    }
    const check = readCheck(words)
    if (check !== undefined) checks.push(check)
  }
  return { host, checks }
}

/**
 * What the provider says of a message, from the headers that only it can have written: those above the first
 * Received field that we wrote. What stands below was there before the message left us, so anybody may have put it
 * there.
 *
 * Above that, the topmost header whose host is the provider's decides each check. A provider without a row, or
 * whose row names no host, is known by the hosts that received the message.
 *
 * @param isOurs tells by its value whether a Received field was written by our relay. Without one, nothing is
 * trusted: the canary did not come the way it was sent
 */
export function trustedAuthResults(
  fields: readonly HeaderField[],
  provider: Provider | undefined,
  isOurs: (receivedValue: string) => boolean,
): AuthResults {
  const ours = fields.findIndex(field => field.name === 'received' && isOurs(field.value))
  const above = fields.slice(0, Math.max(ours, 0))
  const hosts = provider?.authHosts ?? []
  const receivers = new Set(
    above.filter(f => f.name === 'received').map(field => readReceived(field.value).by),
  )
  receivers.delete('')
  const trusted = above
    .filter(field => field.name === 'authentication-results')
    .map(field => readAuthenticationResults(field.value))
    .filter(({ host }) =>
      hosts.length === 0 ? receivers.has(host) : hosts.some(suffix => isHost(host, suffix)),
    )
  const resultOf = (method: string): AuthResult => {
    for (const header of trusted) {
      const results = header.checks.filter(c => c.method === method).map(c => c.result)
      // One signature that passes is enough (RFC 6376 section 6.1); the first one speaks for the rest.
      if (results.includes('pass')) return 'pass'
      if (results[0] !== undefined) return results[0]
    }
    return 'absent'
  }
  return { spf: resultOf('spf'), dkim: resultOf('dkim'), dmarc: resultOf('dmarc') }
}

/** Whether a host ends with a suffix on a label boundary; '' is a header without a host. */
function isHost(host: string, suffix: string): boolean {
  if (suffix === '' || host === '') return suffix === host
  return `.${host}`.endsWith(suffix.startsWith('.') ? suffix : `.${suffix}`)
}

function readCheck(words: readonly string[]): AuthCheck | undefined {
  const [method, result] = pair(words[0] ?? '')
  if (method === '' || result === '') return undefined
  const properties = new Map<string, string>()
  for (const word of words.slice(1)) {
    const [name, value] = pair(word)
    if (name !== '' && !properties.has(name)) properties.set(name, value)
  }
  // `dkim/1=pass`: a version of the method (RFC 8601 section 2.2).
  return { method: method.replace(/\/.*$/, ''), result: resultOf(result), properties }
}

function pair(word: string): readonly [name: string, value: string] {
  const at = word.indexOf('=')
  if (at <= 0) return ['', '']
  return [word.slice(0, at).toLowerCase(), word.slice(at + 1).replaceAll('"', '')]
}

/** Letters only, so that `pass;` and `pass,` are what they mean. */
function resultOf(word: string): AuthResult {
  const letters = /^[a-z]+/i.exec(word)?.[0].toLowerCase() ?? ''
  // RFC 8601 section 2.7.2: hardfail is an old word for fail.
  if (letters === 'hardfail') return 'fail'
  return KNOWN.has(letters) ? (letters as AuthResult) : 'other'
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = ['']
  let quoted = false
  for (const c of text) {
    if (c === '"') quoted = !quoted
    if (c === separator && !quoted) parts.push('')
    else parts[parts.length - 1] += c
  }
  return parts
}
