/** What a mail program needs to know of this server. The same for everybody: nothing in it depends on who asks. */
export interface ClientSettings {
  /** Name in the relay's certificate. */
  readonly hostname: string
  /** Domains of the addresses, the organisation's first one first. */
  readonly domains: readonly [string, ...string[]]
  /** What mail programs call the account. */
  readonly organisation: string
  /** Port with TLS from the start (RFC 8314), or 0 where there is none. */
  readonly submissions: number
  /** Port with STARTTLS (RFC 6409), or 0. */
  readonly submission: number
  /**
   * Where the organisation keeps mailboxes, the best first. Often nowhere: then mail is read elsewhere, and where that is
   * for a person must not be told to whoever asks.
   */
  readonly incoming: readonly IncomingServer[]
  /** Whether mail can be handed in with an SSH key. */
  readonly ssh: boolean
  /** Whether people can look after their account here. */
  readonly account: boolean
}

export interface IncomingServer {
  readonly type: 'imap' | 'pop3'
  readonly host: string
  readonly port: number
  readonly tls: Tls
  /** What people log in with there: `alice@example.org` or `alice`. */
  readonly username: 'address' | 'login'
}

type Tls = 'implicit' | 'starttls'

/** One way to hand in mail. */
export interface OutgoingWay {
  readonly port: number
  readonly tls: Tls
}

/** RFC 8314 section 3.3: TLS from the first octet before STARTTLS. */
export function outgoingWays({ submissions, submission }: ClientSettings): readonly OutgoingWay[] {
  return [
    ...(submissions === 0 ? [] : [{ port: submissions, tls: 'implicit' as const }]),
    ...(submission === 0 ? [] : [{ port: submission, tls: 'starttls' as const }]),
  ]
}

const LOGIN = /^[a-z0-9](?:[a-z0-9._+-]{0,62}[a-z0-9])?$/

/**
 * What somebody typed as login or address.
 *
 * @returns the login; undefined for what can be nobody's here, which says nothing about who there is
 */
export function loginFrom(
  typed: string,
  { domains }: Pick<ClientSettings, 'domains'>,
): string | undefined {
  const [local = '', domain, ...more] = typed.trim().toLowerCase().split('@')
  if (more.length > 0 || (domain !== undefined && !domains.includes(domain))) return undefined
  return LOGIN.test(local) ? local : undefined
}
