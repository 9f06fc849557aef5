import type { LoadedRelay } from '../config/load-relay.ts'
import type { ClientSettings } from '../mail/client-settings.ts'

// What is registered for imap, imaps, pop3 and pop3s (RFC 8314 section 7).
const PORTS = {
  imap: { implicit: 993, starttls: 143 },
  pop3: { implicit: 995, starttls: 110 },
} as const

/** What mail programs have to know of the relay that the configuration describes. */
export function clientSettings({ config }: LoadedRelay): ClientSettings {
  const { hostname, listen, directory, web } = config
  const [first = hostname, ...others] = directory.domains
  return {
    hostname,
    domains: [first, ...others],
    organisation: web?.organisation ?? first,
    submissions: listen.submissions[0]?.port ?? 0,
    submission: listen.submission[0]?.port ?? 0,
    incoming: (web?.incoming ?? []).map(({ port, ...server }) => ({
      ...server,
      port: port ?? PORTS[server.type][server.tls],
    })),
    ssh: listen.ssh !== undefined,
    account: web?.account !== undefined,
  }
}
