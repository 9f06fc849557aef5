import { findProvider } from '../mail/provider-table.ts'
import type { Provider } from '../mail/provider.ts'
import type { ProbesConfig } from './probes-schema.ts'
import type { ProblemList } from './problem-list.ts'

/** An account as its server knows it. */
export interface MailboxLogin {
  readonly host: string
  readonly username: string
}

/** Where a seed is read, and as whom. */
export function seedLogin(
  { imap, address }: ProbesConfig['seeds'][string],
  provider: Provider | undefined,
): MailboxLogin {
  const usual =
    provider?.imap?.username === 'local-part' ? address.slice(0, address.lastIndexOf('@')) : address
  return { host: imap.host ?? provider?.imap?.host ?? '', username: imap.username ?? usual }
}

/** Where reports are read, and as whom. */
export function bounceLogin({ imap, address }: ProbesConfig['bounces'][string]): MailboxLogin {
  return { host: imap.host, username: imap.username ?? address ?? '' }
}

/** Paths of the seeds and bounce mailboxes that are one account: each is read over a connection of its own. */
export function sharersOf(
  config: ProbesConfig,
  providers: readonly Provider[],
  login: MailboxLogin,
): readonly string[] {
  const all = [
    ...Object.entries(config.seeds).map(
      ([name, row]) =>
        [`seeds.${name}`, seedLogin(row, findProvider(row.provider, providers))] as const,
    ),
    ...Object.entries(config.bounces).map(
      ([name, row]) => [`bounces.${name}`, bounceLogin(row)] as const,
    ),
  ]
  return all.filter(([, other]) => isSame(other, login)).map(([path]) => path)
}

/** A provider that bears fewer connections of one account than are held would end one of them, now this and now that. */
export function checkConnections(
  problems: ProblemList,
  config: ProbesConfig,
  providers: readonly Provider[],
): void {
  for (const [name, row] of Object.entries(config.seeds)) {
    const provider = findProvider(row.provider, providers)
    const borne = provider?.imap?.connections
    if (provider === undefined || borne === undefined) continue
    const sharers = sharersOf(config, providers, seedLogin(row, provider))
    if (sharers.length <= borne || sharers[0] !== `seeds.${name}`) continue
    problems.add(
      ['seeds', name],
      `${sharers.join(', ')} are one account, and ${provider.name} bears ${borne} connections of one account at the same time: use other accounts`,
    )
  }
}

function isSame(one: MailboxLogin, other: MailboxLogin): boolean {
  return (
    one.host.toLowerCase() === other.host.toLowerCase() &&
    one.username.toLowerCase() === other.username.toLowerCase()
  )
}
