import { ImapFlow, type ImapFlowOptions } from 'imapflow'

import { type Clock, jitter, MINUTE, type Random, SECOND } from '../base/clock.ts'
import { formatDuration } from '../base/duration.ts'
import { pause } from './deadline.ts'
import { imapFault, type ImapFault } from './imap-errors.ts'
import { withoutAddresses } from './redact.ts'
import { type ImapAccount, SignInError } from './seed.ts'

export interface ImapConnectionOptions {
  readonly account: ImapAccount
  /** Outlook.com signs one in and then refuses every command over IPv6. */
  readonly ipv4Only: boolean
  /** Milliseconds between two sign-ins: at first, and after many failures. */
  readonly retryAfter: { readonly least: number; readonly most: number }
  readonly clock: Clock
  readonly random: Random
  /** Hears every octet of the session but those that sign in; for `seed check`. */
  readonly onWire?: (from: 'client' | 'server', text: string) => void
}

/** Providers lock out those who sign in more often than that. */
export const RETRY_AFTER = { least: MINUTE, most: 30 * MINUTE }

const CONNECT_WITHIN = 20 * SECOND
// A server that throttles is waited for inside the library, for half of this: less than a reading may take, so that
// the back-off it asks for is heard.
const SOCKET_TIMEOUT = 90 * SECOND
// IDLE is renewed before the socket counts as dead; RFC 2177 asks for 29 minutes, and NAT forgets after 15.
const MAX_IDLE = MINUTE
const MAX_LITERAL = 256 * 1024
const MAX_RESPONSE = 1024 * 1024

/** We are not signed in, and it is too early to try again. */
export class TooEarlyError extends Error {
  override readonly name = 'TooEarlyError'
  readonly fault: ImapFault
  constructor(fault: ImapFault, wait: number) {
    super(`next sign-in in ${formatDuration(wait)}`)
    this.fault = fault
  }
}

/** The one connection of an account: made when it is needed, and never more often than the provider bears. */
export class ImapConnection {
  readonly #options: ImapConnectionOptions
  #client: ImapFlow | undefined
  #failures = 0
  #notBefore = 0
  #lastFault: ImapFault = imapFault(new Error('connection lost'))
  /** The server refused the access token: the next one is to be a new one. */
  #stale = false
  /** If it refuses this one, a new one may do. */
  #renewable = false

  constructor(options: ImapConnectionOptions) {
    this.#options = options
  }

  /** The connection, if there is one. */
  get current(): ImapFlow | undefined {
    return this.#client?.usable === true ? this.#client : undefined
  }

  /**
   * The connection; a new one where there is none.
   *
   * @throws TooEarlyError, or what signing in has thrown
   */
  async client(signal: AbortSignal): Promise<ImapFlow> {
    if (this.current) return this.current
    this.drop()
    const { account, clock } = this.#options
    const wait = this.#notBefore - clock()
    if (wait > 0) throw new TooEarlyError(this.#lastFault, wait)
    this.#renewable = false
    const credential = await account.credential(this.#stale)
    this.#renewable = credential.kind === 'oauth2' && !this.#stale
    signal.throwIfAborted()
    // From here on this counts as a sign-in, whatever becomes of it.
    this.#notBefore = clock() + this.#options.retryAfter.least
    const client = new ImapFlow({
      host: account.host,
      port: account.port,
      secure: true,
      auth:
        credential.kind === 'password'
          ? { user: account.username, pass: credential.password.reveal() }
          : { user: account.username, accessToken: credential.accessToken.reveal() },
      ...(account.servername === undefined ? {} : { servername: account.servername }),
      tls: {
        minVersion: 'TLSv1.2',
        ...(account.ca === undefined ? {} : { ca: account.ca }),
        ...(this.#options.ipv4Only ? { family: 4 } : {}),
      },
      // RFC 2971: providers write to whoever stands here, and without these that is who wrote the library.
      clientInfo: { name: 'mailcanary', version: '', vendor: '', 'support-url': '' },
      ...wireLog(this.#options.onWire),
      disableAutoIdle: true,
      disableCompression: true,
      disableBinary: true,
      connectionTimeout: CONNECT_WITHIN,
      greetingTimeout: CONNECT_WITHIN,
      socketTimeout: SOCKET_TIMEOUT,
      maxIdleTime: MAX_IDLE,
      maxLineLength: MAX_RESPONSE,
      maxLiteralSize: MAX_LITERAL,
      maxResponseSize: MAX_RESPONSE,
    })
    // Without a listener an error of the socket ends the process. What fails is told by the promise of the command.
    client.on('error', () => undefined)
    this.#client = client
    await client.connect()
    this.#stale = false
    return client
  }

  /** A whole reading has worked: the next failure is the first again. */
  succeeded(): void {
    this.#failures = 0
  }

  /** Something failed: drops the connection and puts off the next sign-in. @returns what it was */
  failed(error: unknown): ImapFault {
    this.drop()
    if (error instanceof TooEarlyError) {
      return { ...error.fault, detail: `${error.fault.detail}; ${error.message}` }
    }
    const { retryAfter, clock, random } = this.#options
    const fault = this.#redacted(this.#judged(error))
    if (error instanceof SignInError) {
      // The provider was not asked, so it need not be spared: it goes on as soon as somebody has signed in.
      this.#lastFault = fault
      this.#notBefore = clock() + retryAfter.least
      return fault
    }
    const doubled = retryAfter.least * 2 ** Math.min(this.#failures, 20)
    const delay = fault.permanent ? retryAfter.most : Math.min(retryAfter.most, doubled)
    this.#failures++
    this.#lastFault = fault
    // Upwards only: a sign-in too early is the one thing jitter must not cause.
    const spread = Math.max(delay, jitter(delay * 1.1, 0.1, random))
    this.#notBefore = Math.max(this.#notBefore, clock() + Math.max(spread, fault.backOff))
    return fault
  }

  /** A refused access token may have been revoked before its time: the next refresh tells whether the sign-in is over. */
  #judged(error: unknown): ImapFault {
    const fault = imapFault(error)
    if (fault.blindness !== 'sign-in' || !this.#renewable) return fault
    this.#stale = true
    return { ...fault, permanent: false }
  }

  drop(): void {
    this.#client?.close()
    this.#client = undefined
  }

  /** Says goodbye where that takes no longer than a moment. */
  async close(): Promise<void> {
    const client = this.current
    const done = new AbortController()
    const goodbye = client?.logout().catch(() => undefined)
    await Promise.race([goodbye, pause(SECOND, done.signal)])
    done.abort()
    this.drop()
  }

  /** Servers like to repeat the login they refuse. */
  #redacted(fault: ImapFault): ImapFault {
    const { username } = this.#options.account
    const detail = username === '' ? fault.detail : fault.detail.replaceAll(username, '<login>')
    return { ...fault, detail: withoutAddresses(detail) }
  }
}

/** imapflow tells what goes over the wire through its log, with the frames that sign in already hidden. */
function wireLog(
  onWire: ImapConnectionOptions['onWire'],
): Pick<ImapFlowOptions, 'logger' | 'logRaw'> {
  if (onWire === undefined) return { logger: false }
  const trace = (entry: { readonly src?: unknown; readonly data?: unknown }): void => {
    if (typeof entry.data !== 'string' || (entry.src !== 'c' && entry.src !== 's')) return
    const text = Buffer.from(entry.data, 'base64').toString('latin1')
    onWire(entry.src === 'c' ? 'client' : 'server', text)
  }
  const mute = (): void => undefined
  return {
    logRaw: true,
    logger: { trace, debug: mute, info: mute, warn: mute, error: mute },
  }
}
