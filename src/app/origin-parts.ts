import type { LoadedProbes } from '../config/load-probes.ts'
import type { Origin } from '../probe/origin.ts'

/** The origins of a file, whatever the way in which each takes its mail. */
export function originsOf({ config, origins }: LoadedProbes): Origin[] {
  return Object.entries(config.origins).flatMap(([name, row]): Origin[] => {
    const { submission, smtp, command, from, from_name: fromName, received_by: receivedBy } = row
    const own = {
      name,
      from,
      ...(fromName !== undefined && { fromName }),
      ...(receivedBy !== undefined && { receivedBy }),
    }
    if (command !== undefined) return [{ ...own, command }]
    const server = submission ?? smtp
    if (server === undefined) return []
    const { ca, password } = origins.get(name) ?? {}
    const { host, port, tls, server_name: servername } = server
    return [
      {
        ...own,
        host,
        port,
        tls,
        ...(ca !== undefined && { ca }),
        ...(servername !== undefined && { servername }),
        ...(submission?.username !== undefined && { username: submission.username }),
        ...(password !== undefined && { password }),
      },
    ]
  })
}
