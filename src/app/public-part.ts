import type { CertificatePair } from '../base/certificate.ts'
import type { Clock } from '../base/clock.ts'
import type { Part } from '../base/lifecycle.ts'
import type { ServerIdentities } from '../base/server-tls.ts'
import type { LoadedRelay } from '../config/load-relay.ts'
import type { RelayConfig } from '../config/relay-schema.ts'
import { accountRoutes } from '../web/account/account-routes.ts'
import { isLoopback } from '../web/admin-access.ts'
import { LiveStatus } from '../web/live-status.ts'
import { PublicServer } from '../web/public-server.ts'
import { publicStatusRoutes } from '../web/public-status.ts'
import { setupPageRoutes } from '../web/setup/setup-page.ts'
import { setupRoutes } from '../web/setup/setup-routes.ts'
import { publicView } from '../web/status-view.ts'
import type { StatusSource } from '../web/status.ts'
import type { Account } from './account-part.ts'
import { clientSettings } from './client-settings.ts'

export interface PublicPart {
  readonly parts: readonly Part[]
  /** Something has happened that the page for everybody may show. */
  readonly changed: () => void
  readonly useIdentities: (identities: ServerIdentities) => void
}

/** What everybody may see: settings for mail programs, people's own accounts, and whether mail arrives. */
export function createPublicPart(
  loaded: LoadedRelay,
  { listen, proxies, status: showsStatus }: NonNullable<RelayConfig['web']>,
  about: {
    readonly account: Account | undefined
    /** With which profiles are signed, where another than the first has taken its place. */
    readonly identity: () => CertificatePair | undefined
    readonly status: StatusSource
    readonly clock: Clock
  },
): PublicPart {
  const { account, identity, status, clock } = about
  const facts = clientSettings(loaded)
  const view = publicView(status)
  const live = showsStatus ? new LiveStatus(range => view.status(range)) : undefined
  const server = new PublicServer({
    ...listen,
    // Plain HTTP is for proxies, and for this host.
    ...(!isLoopback(listen.host) && proxies.length === 0 && { tls: loaded.tls }),
    proxies,
    routes: [
      setupPageRoutes(facts),
      setupRoutes({ facts, identity: () => identity() ?? loaded.tls.pair, clock }),
      ...(account === undefined
        ? []
        : [accountRoutes({ service: account.service, domain: facts.domains[0], proxies, clock })]),
      ...(live === undefined ? [] : [publicStatusRoutes(view, live)]),
    ],
  })
  return {
    parts: [...(account?.parts ?? []), server],
    changed: () => live?.changed(),
    useIdentities: identities => server.useIdentities(identities),
  }
}
