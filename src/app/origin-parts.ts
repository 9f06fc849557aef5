import { Secret } from '../base/secret.ts'
import { isRemote } from '../config/bounce-mailboxes.ts'
import type { LoadedProbes } from '../config/load-probes.ts'
import { bounceLogin } from '../config/mailbox-accounts.ts'
import type { BounceMailbox } from '../probe/bounce-watcher.ts'
import type { Origin } from '../probe/origin.ts'
import type { MessageTrace } from '../probe/trace.ts'
import { retryAfterOf } from './seed-parts.ts'

/** The origins of a file, whatever the way in which each takes its mail. */
export function originsOf({ config, origins }: LoadedProbes): Origin[] {
  return Object.entries(config.origins).flatMap(([name, row]): Origin[] => {
    const { submission, smtp, command, from, from_name: fromName, received_by: receivedBy } = row
    const own = {
      name,
      from,
      ...(fromName !== undefined && { fromName }),
      ...(receivedBy !== undefined && { receivedBy }),
      ...(row.bounces !== undefined && {
        bounces: { mailbox: row.bounces, address: config.bounces[row.bounces]?.address ?? from },
      }),
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

/** Makes the trace of a relay elsewhere, by its admin listener. */
export type TraceAt = (relay: {
  readonly url: string
  readonly token?: Secret
  readonly ca?: string
}) => MessageTrace

/** The relays elsewhere that can be asked what became of a message, by the name of their origin. */
export function remoteTracesOf(
  { config, traces }: LoadedProbes,
  traceAt: TraceAt,
): ReadonlyMap<string, MessageTrace> {
  return new Map(
    Object.entries(config.origins)
      .filter(([, { trace }]) => isRemote(trace))
      .map(([name, { trace: url }]) => {
        const { ca, token } = traces.get(name) ?? {}
        const shown = { ...(token && { token }), ...(ca !== undefined && { ca }) }
        return [name, traceAt({ url, ...shown })]
      }),
  )
}

/** The mailboxes to which reports of canaries come back. */
export function bouncesOf({ config, bounces }: LoadedProbes): BounceMailbox[] {
  return Object.entries(config.bounces).map(([name, row]) => {
    const { imap } = row
    const { ca, password = new Secret('') } = bounces.get(name) ?? {}
    return {
      name,
      imap: {
        ...bounceLogin(row),
        port: imap.port ?? 993,
        credential: () => Promise.resolve({ kind: 'password', password }),
        ...(ca !== undefined && { ca }),
        ...(imap.server_name !== undefined && { servername: imap.server_name }),
      },
      pollEvery: config.imap.poll_every,
      retryAfter: retryAfterOf(config),
    }
  })
}
