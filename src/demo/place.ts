import type { Authority } from '../base/certificate.ts'
import type { Part } from '../base/lifecycle.ts'
import type { Behaviour } from './behaviour.ts'
import { ImapServer } from './imap/server.ts'
import { MailExchanger } from './mx.ts'
import { onPort } from './ports.ts'
import { SimulatedProvider, type ProviderOptions, type ProviderProfile } from './provider.ts'

export interface PlaceOptions {
  readonly profile: ProviderProfile
  readonly host: string
  readonly mxPort: number
  readonly imapPort: number
  readonly authority: Authority
  readonly provider: Omit<ProviderOptions, 'profile'>
}

/** A provider with its two doors: mail comes in by one, and is read through the other. */
export interface Place {
  readonly profile: ProviderProfile
  readonly provider: SimulatedProvider
  readonly mx: MailExchanger
  readonly imap: ImapServer
  /** To be started in this order. */
  readonly parts: readonly Part[]
  readonly behave: (behaviour: Behaviour) => void
}

export async function openPlace(options: PlaceOptions): Promise<Place> {
  const { profile, host, mxPort, imapPort, authority } = options
  const provider = new SimulatedProvider({ profile, ...options.provider })
  const mx = new MailExchanger({
    host,
    port: mxPort,
    certificate: await authority.issue([profile.mxHost]),
    provider,
  })
  const imap = new ImapServer({
    host,
    port: imapPort,
    // A person's mail program may connect by address; the prober is given the name.
    certificate: await authority.issue([profile.imapHost, 'localhost', host]),
    quirks: profile.quirks,
    accounts: [provider.account],
    clock: options.provider.clock,
  })
  return {
    profile,
    provider,
    mx,
    imap,
    parts: [provider, onPort(mx, mxPort), onPort(imap, imapPort)],
    behave: behaviour => {
      provider.behave(behaviour)
      imap.suffer(behaviour === 'unreadable' ? 'unreadable' : 'none')
    },
  }
}
