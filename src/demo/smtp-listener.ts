import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

import {
  SMTPServer,
  type SMTPServerDataStream,
  type SMTPServerOptions,
  type SMTPServerSession,
} from 'smtp-server'
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js'

import { keepProtocol } from '../base/tls-protocol.ts'
import type { SmtpAnswer } from './dialect.ts'

/** Bigger messages get 552; 25 MiB is what the big providers take. */
const LARGEST_MESSAGE = 25 * 1024 * 1024
const MOST_CONNECTIONS = 100
const MOST_RECIPIENTS = 100

/** What smtp-server calls an error: a reply. */
export class SmtpRefusal extends Error {
  readonly responseCode: number

  constructor(answer: SmtpAnswer) {
    super(answer.text)
    this.responseCode = answer.code
  }
}

/** A session that can be hung up on at any moment, also in the middle of a handshake. */
class Session extends SMTPConnection {
  // The topmost: a TLS socket must not lose its ground in the middle of a handshake.
  #top: Socket = this._socket

  override _armTimeout(socket: Socket = this._socket): void {
    // With the TLS socket it is called before that has taken the place of the other.
    if (socket !== this._socket && socket instanceof TLSSocket) {
      keepProtocol(socket)
      this.#top = socket
    }
    super._armTimeout(socket)
  }

  hangUp(): void {
    this.#top.destroy()
  }
}

class Server extends SMTPServer {
  readonly #open = new Set<Session>()

  override connect(...[socket, options]: Parameters<SMTPServer['connect']>): void {
    const session = new Session(this, socket, options)
    this.#open.add(session)
    this.connections.add(session)
    socket.once('close', () => this.#open.delete(session))
    session.on('error', () => undefined)
    session.init()
  }

  hangUp(): void {
    for (const session of this.#open) session.hangUp()
  }
}

/**
 * A listener of smtp-server with bounds, without its own enhanced codes (the texts bring those of their provider) and
 * without leave to linger: stopping hangs up.
 */
export class SmtpListener {
  readonly #server: Server
  readonly #where: { readonly host: string; readonly port: number }

  constructor(
    where: { readonly host: string; readonly port: number },
    options: SMTPServerOptions,
    /** False hangs up on whoever connects. */
    answering: () => boolean = () => true,
  ) {
    this.#where = where
    this.#server = new Server({
      size: LARGEST_MESSAGE,
      maxClients: MOST_CONNECTIONS,
      maxRecipients: MOST_RECIPIENTS,
      hideENHANCEDSTATUSCODES: true,
      hideDSN: true,
      disableReverseLookup: true,
      logger: false,
      minVersion: 'TLSv1.2',
      heloResponse: '%s at your service',
      ...options,
    })
    this.#server.on('error', () => undefined)
    this.#server.server.prependListener('connection', (socket: Socket) => {
      socket.on('error', () => undefined)
      if (!answering()) socket.destroy()
    })
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo | null)?.port ?? 0
  }

  async start(): Promise<void> {
    this.#server.listen(this.#where.port, this.#where.host)
    await once(this.#server.server, 'listening')
  }

  async stop(): Promise<void> {
    if (!this.#server.server.listening) return
    const closed = once(this.#server.server, 'close')
    this.#server.close()
    for (const connection of this.#server.connections) connection.close()
    this.hangUp()
    await closed
  }

  /** Ends every connection at once. */
  hangUp(): void {
    this.#server.hangUp()
  }
}

/** Runs a step of the dialogue; anything unexpected is our fault and thus 451, never a refusal. */
export function step(
  callback: (error?: Error | null) => void,
  objection: () => SmtpAnswer | undefined,
): void {
  try {
    const answer = objection()
    callback(answer ? new SmtpRefusal(answer) : null)
  } catch (error) {
    callback(refusalOf(error))
  }
}

/**
 * The step after DATA: reads the message to its end and answers.
 *
 * @param take gives the text of the 250, or throws an SmtpRefusal
 */
export async function dataStep(
  stream: SMTPServerDataStream,
  callback: (error?: Error | null, text?: string) => void,
  take: (raw: Buffer) => string,
): Promise<void> {
  let text: string
  try {
    text = take(await readMessage(stream))
  } catch (error) {
    callback(refusalOf(error))
    return
  }
  callback(null, text)
}

function refusalOf(error: unknown): SmtpRefusal {
  if (error instanceof SmtpRefusal) return error
  return new SmtpRefusal({ code: 451, text: '4.3.0 Local error in processing' })
}

async function readMessage(stream: SMTPServerDataStream): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    // What is too big is read to its end all the same, but not kept: the reply comes after the dot.
    if (!stream.sizeExceeded) chunks.push(chunk)
  }
  if (stream.sizeExceeded) {
    throw new SmtpRefusal({ code: 552, text: '5.3.4 Message size exceeds fixed limit' })
  }
  return Buffer.concat(chunks)
}

/** Protocol of the connection, `TLSv1.3`, or '' for clear text. */
export function tlsOf(session: SMTPServerSession): string {
  return session.tlsOptions === false ? '' : (session.tlsOptions.standardName ?? 'TLS')
}
