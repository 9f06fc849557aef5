import type { Clock } from '../base/clock.ts'
import type { LoadedRelay } from '../config/load-relay.ts'
import type { ClientSettings } from '../mail/client-settings.ts'
import { clientSettings } from './client-settings.ts'

/** What is to be looked at of the server that the configuration describes. */
export interface SelfCheckSettings {
  readonly settings: ClientSettings
  readonly web: number
  readonly direct: boolean
  readonly addresses: readonly string[]
  readonly blocklists: readonly string[]
  readonly nameservers: readonly string[]
  readonly outbound: readonly string[]
  readonly timeServer: { readonly host: string; readonly port: number } | undefined
  readonly mxPort: number
  readonly clock: Clock
}

export function selfCheckSettings(loaded: LoadedRelay, clock: Clock): SelfCheckSettings {
  const { checks, delivery } = loaded.config
  const { direct, smarthost } = delivery
  const nameservers = checks.nameservers.length > 0 ? checks.nameservers : direct.nameservers
  return {
    settings: clientSettings(loaded),
    web: publicPort(loaded),
    direct: smarthost === undefined,
    addresses: checks.addresses,
    blocklists: checks.blocklists,
    nameservers,
    outbound: checks.outbound,
    timeServer: checks.time_server,
    mxPort: direct.port,
    clock,
  }
}

/** Where programs find the public pages: a proxy stands at the usual port. 0 where there are none. */
export function publicPort({ config: { web } }: LoadedRelay): number {
  if (web === undefined) return 0
  return web.proxies.length > 0 ? 443 : web.listen.port
}
