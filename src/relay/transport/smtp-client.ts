import { isIP } from 'node:net'
import type { ConnectionOptions } from 'node:tls'

import { formatReply, type Reply } from '../../mail/reply.ts'
import { Capabilities } from './capabilities.ts'
import type { ReceivedReply } from './reply-reader.ts'
import type { Endpoint } from './resolver.ts'
import { saslExchange, type Credentials } from './sasl.ts'
import { SmtpFault } from './smtp-fault.ts'
import type { SmtpTimers } from './smtp-timers.ts'
import { Wire } from './wire.ts'

/*
 * Why an SMTP client of our own, beside nodemailer: a relay has to know things that nodemailer's connection hides or
 * cannot do (version 10.6.0). A connection lost after the final dot is reported like a failed connect, so that a
 * second copy would go to the next MX. NOTIFY and ORCPT are the same for all recipients. Addresses in UTF-8 and
 * 8-bit bodies go to servers that take neither. One timeout serves all phases. A failed handshake cannot fall back.
 * Any 2xx will do as the answer to DATA. Bodies are normalised on the way, which breaks signatures.
 */

/** How a connection is to be secured. */
export type TlsMode =
  | { readonly kind: 'none' }
  /** STARTTLS if offered, whatever the certificate: better than clear text (RFC 7435). */
  | { readonly kind: 'opportunistic' }
  /** Certificate verified for `host`, TLS 1.2 at least (RFC 8314 section 4.1), or no mail. */
  | { readonly kind: 'verified'; readonly start: 'starttls' | 'implicit'; readonly ca?: string }

export interface SmtpClientOptions {
  readonly endpoint: Endpoint
  /** The name that the certificate has to have, and that is sent as SNI. */
  readonly host: string
  /** Our name in EHLO: a host name that resolves, or an address literal (RFC 5321 section 4.1.4). */
  readonly hostname: string
  readonly tls: TlsMode
  readonly timers: SmtpTimers
  readonly credentials?: Credentials
}

/** A session with one server, past greeting, EHLO, TLS and AUTH: ready for MAIL. */
export class SmtpClient {
  readonly wire: Wire
  readonly timers: SmtpTimers
  /** Messages sent over it so far. */
  messages = 0
  /** It lay idle, and nobody has tried since whether it still works. */
  rested = false
  #capabilities = Capabilities.none
  #tlsRefused = ''

  private constructor(wire: Wire, timers: SmtpTimers) {
    this.wire = wire
    this.timers = timers
  }

  /** @throws SmtpFault; the connection is closed then */
  static async open(options: SmtpClientOptions, signal: AbortSignal): Promise<SmtpClient> {
    const { tls, timers } = options
    const implicit = tls.kind === 'verified' && tls.start === 'implicit'
    const secure = tlsOptions(options)
    const wire = await Wire.connect(options.endpoint, timers, signal, implicit ? secure : undefined)
    const client = new SmtpClient(wire, timers)
    const release = wire.obey(signal)
    try {
      expect(await wire.reply(timers.greeting, 'the greeting'), 2)
      await client.#hello(options.hostname)
      if (tls.kind !== 'none' && !implicit) await client.#secure(options, secure)
      if (options.credentials) await client.#authenticate(options.credentials)
      return client
    } catch (error) {
      wire.destroy()
      throw error
    } finally {
      release()
    }
  }

  get capabilities(): Capabilities {
    return this.#capabilities
  }

  /** Why the connection is in clear text although we would have liked TLS, or ''. */
  get tlsRefused(): string {
    return this.#tlsRefused
  }

  /** Sends one command and waits for its reply, whatever it is. */
  async command(line: string, timeout: number, name = line): Promise<ReceivedReply> {
    if (this.wire.hasInput) {
      // To go on would take the answer to one command for the answer to another.
      this.wire.destroy()
      throw new SmtpFault('protocol', `the server spoke out of turn, before ${name}`)
    }
    await this.wire.write(`${line}\r\n`, timeout, name)
    return this.wire.reply(timeout, name)
  }

  /**
   * Whether a connection still works; clears what the last transaction left. Never throws.
   *
   * @param more commands to send in the same segment, whose replies the caller reads
   */
  async reset(more: readonly string[] = []): Promise<boolean> {
    this.rested = false
    return this.command(['RSET', ...more].join('\r\n'), this.timers.command, 'RSET').then(
      ({ reply }) => category(reply) === 2,
      () => false,
    )
  }

  async #hello(hostname: string): Promise<void> {
    const ehlo = await this.command(`EHLO ${hostname}`, this.timers.command, 'EHLO')
    if (category(ehlo.reply) === 2) {
      this.#capabilities = Capabilities.read(ehlo.lines)
      return
    }
    this.#capabilities = Capabilities.none
    // RFC 5321 section 3.2: a server that does not know EHLO may know HELO.
    if (![500, 501, 502, 504, 550].includes(ehlo.reply.code)) expect(ehlo, 2)
    expect(await this.command(`HELO ${hostname}`, this.timers.command, 'HELO'), 2)
  }

  async #secure(options: SmtpClientOptions, secure: ConnectionOptions): Promise<void> {
    const needed = options.tls.kind === 'verified'
    if (!this.#capabilities.has('STARTTLS')) {
      this.#tlsRefused = `${options.host} does not offer STARTTLS`
    } else {
      const { reply } = await this.command('STARTTLS', this.timers.command)
      if (reply.code !== 220) {
        this.#tlsRefused = `${options.host} refuses STARTTLS: ${formatReply(reply)}`
      }
    }
    if (this.#tlsRefused !== '') {
      if (needed) throw new SmtpFault('tls', this.#tlsRefused)
      return
    }
    await this.wire.startTls(secure, this.timers.tls)
    // RFC 3207 section 4.2: what was learnt before the handshake is to be forgotten.
    this.#capabilities = Capabilities.none
    await this.#hello(options.hostname)
  }

  async #authenticate(credentials: Credentials): Promise<void> {
    const exchange = saslExchange(this.#capabilities.mechanisms, credentials)
    if (!exchange) {
      throw new SmtpFault('auth', 'the server offers no AUTH mechanism that we know (PLAIN, LOGIN)')
    }
    let answer = await this.command(exchange.command, this.timers.command, 'AUTH')
    for (const line of exchange.answers) {
      if (answer.reply.code !== 334) break
      answer = await this.command(line, this.timers.command, 'AUTH')
    }
    if (category(answer.reply) === 2) return
    // 4xx is the server's own trouble (454 4.7.0); everything else says that our credentials are not right.
    throw new SmtpFault(category(answer.reply) === 4 ? 'reply' : 'auth', answer.reply)
  }
}

/** First digit of the code: what a client has to decide by (RFC 5321 section 4.3.2). */
export function category(reply: Reply): number {
  return Math.floor(reply.code / 100)
}

function expect(answer: ReceivedReply, wanted: number): void {
  const seen = category(answer.reply)
  if (seen === wanted) return
  throw new SmtpFault(seen === 4 || seen === 5 ? 'reply' : 'protocol', answer.reply)
}

function tlsOptions(options: SmtpClientOptions): ConnectionOptions {
  const { tls, host } = options
  // RFC 6066 section 3 allows no addresses in SNI.
  const name = isIP(host) === 0 ? { servername: host } : { host }
  if (tls.kind !== 'verified') {
    // Old TLS with any certificate still beats the clear text it would otherwise be (RFC 7435 section 1.2).
    return {
      ...name,
      rejectUnauthorized: false,
      minVersion: 'TLSv1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    }
  }
  return {
    ...name,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
  }
}
