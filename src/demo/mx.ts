import type { CertificatePair } from '../base/certificate.ts'
import type { Part } from '../base/lifecycle.ts'
import type { Client } from './delivery-header.ts'
import { spell } from './dialect.ts'
import type { SimulatedProvider } from './provider.ts'
import { dataStep, SmtpListener, SmtpRefusal, step, tlsOf } from './smtp-listener.ts'

export interface MxOptions {
  readonly host: string
  /** 0 for any. */
  readonly port: number
  /** For the MX host's name: senders that check are to be content. */
  readonly certificate: CertificatePair
  readonly provider: SimulatedProvider
}

type SmtpSession = Parameters<typeof tlsOf>[0]

/** The mail exchanger of a simulated provider: STARTTLS offered, no login, no relaying. */
export class MailExchanger implements Part {
  readonly name: string
  readonly #listener: SmtpListener

  constructor(options: MxOptions) {
    const { provider, certificate } = options
    const { profile } = provider
    this.name = `MX of ${profile.name}`
    this.#listener = new SmtpListener(options, {
      name: profile.mxHost,
      banner: spell(profile.dialect.banner, { i: '', h: profile.mxHost, r: '', q: profile.name }),
      key: certificate.key,
      cert: certificate.certificate,
      authOptional: true,
      disabledCommands: ['AUTH'],
      onMailFrom: (_, session, callback) =>
        step(callback, () => provider.objection('mail', clientOf(session))),
      onRcptTo: (recipient, session, callback) =>
        step(callback, () => provider.objection('recipient', clientOf(session), recipient.address)),
      onData: (stream, session, callback) =>
        void dataStep(stream, callback, raw => {
          const client = clientOf(session)
          const answer = provider.objection('data', client)
          if (answer) throw new SmtpRefusal(answer)
          const { mailFrom, rcptTo } = session.envelope
          return provider.take({
            client,
            reversePath: mailFrom === false ? '' : mailFrom.address,
            recipients: rcptTo.map(recipient => recipient.address),
            raw,
          })
        }),
    })
  }

  get port(): number {
    return this.#listener.port
  }

  start(): Promise<void> {
    return this.#listener.start()
  }

  stop(): Promise<void> {
    return this.#listener.stop()
  }
}

// Whoever finds the MX by itself counts as the organisation's own host.
function clientOf(session: SmtpSession): Client {
  return {
    name: session.hostNameAppearsAs || 'unknown',
    address: session.remoteAddress,
    tls: tlsOf(session),
    permitted: true,
  }
}
