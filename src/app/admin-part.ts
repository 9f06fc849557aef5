import type { Clock } from '../base/clock.ts'
import type { LoadedProbes } from '../config/load-probes.ts'
import type { LoadedRelay } from '../config/load-relay.ts'
import { createHealth } from '../observe/health.ts'
import type { ReportRelayEvent } from '../relay/events.ts'
import { AdminServer, type AdminOptions } from '../web/admin-server.ts'
import { keepAdminCertificate, type CertificateKeeper } from './certificate-keeper.ts'
import { readiness } from './readiness.ts'
import type { Relay } from './relay-parts.ts'

export interface AdminPart {
  readonly server: AdminServer
  /** Absent where the listener has no certificate. */
  readonly certificate: CertificateKeeper | undefined
}

/** Metrics, health and the status page, for those who run it. */
export function createAdminPart(
  loaded: LoadedRelay | LoadedProbes,
  relay: Relay | undefined,
  about: Pick<AdminOptions, 'metrics' | 'status' | 'fateElsewhere'> & {
    readonly report: ReportRelayEvent
    readonly clock: Clock
  },
): AdminPart {
  const { metrics, status, fateElsewhere, report, clock } = about
  const { listen, names } = loaded.config.admin
  const server = new AdminServer({
    ...listen,
    ...(loaded.admin.tls && { tls: loaded.admin.tls }),
    ...(loaded.admin.token && { token: loaded.admin.token }),
    hostNames: names,
    metrics,
    health: createHealth({ alive: [], ready: relay === undefined ? [] : readiness(relay) }),
    status,
    trace: async id => relay?.store.find(id),
    ...(fateElsewhere && { fateElsewhere }),
  })
  const certificate = keepAdminCertificate(loaded, report, clock, identities =>
    server.useIdentities(identities),
  )
  return { server, certificate }
}
