import { join } from 'node:path'

import { type Clock, MINUTE } from '../base/clock.ts'
import { Secret } from '../base/secret.ts'
import type { LoadedProbes } from '../config/load-probes.ts'
import { seedLogin, sharersOf } from '../config/mailbox-accounts.ts'
import { signInOf } from '../config/seed-credentials.ts'
import { OTHER_PROVIDER, findProvider } from '../mail/provider-table.ts'
import type { Provider } from '../mail/provider.ts'
import { OTHER } from '../mail/providers.ts'
import type { ReportProbeEvent } from '../probe/events.ts'
import type { OAuthClient } from '../probe/oauth/oauth-client.ts'
import { TokenFile } from '../probe/oauth/token-file.ts'
import { TokenKeeper } from '../probe/oauth/token-keeper.ts'
import type { ImapAccount, Seed } from '../probe/seed.ts'

const LONGEST_RETRY = 30 * MINUTE

/** What a seed that signs in with OAuth 2 has beside the others. */
export interface SeedOAuth {
  readonly client: OAuthClient
  readonly file: TokenFile
}

/**
 * The OAuth 2 side of one seed.
 *
 * @param folder the state folder
 * @returns undefined where the seed signs in with a password
 */
export function seedOAuth(
  { config, oauth }: LoadedProbes,
  providers: readonly Provider[],
  name: string,
  folder: string,
): SeedOAuth | undefined {
  const seed = config.seeds[name]
  const provider = findProvider(seed?.provider ?? '', providers)
  if (seed === undefined || signInOf(seed, provider) === 'password') return undefined
  const row = config.oauth.clients[seed.provider]
  if (provider?.oauth === undefined || row === undefined) return undefined
  const secret = oauth.clientSecrets.get(seed.provider)
  return {
    client: { id: row.client_id, endpoints: provider.oauth, ...(secret && { secret }) },
    file: new TokenFile(join(folder, `seed-${name}.token`), name, oauth.tokenKey),
  }
}

/** The seeds of a file, and what keeps the tokens of those that have one. */
export function seedsOf(
  loaded: LoadedProbes,
  providers: readonly Provider[],
  options: { readonly folder: string; readonly report: ReportProbeEvent; readonly clock: Clock },
): { readonly seeds: readonly Seed[]; readonly tokens: readonly TokenKeeper[] } {
  const { config } = loaded
  const tokens: TokenKeeper[] = []
  const seeds = Object.entries(config.seeds).map(([name, row]): Seed => {
    const provider =
      findProvider(row.provider, providers) ?? findProvider(OTHER_PROVIDER, providers) ?? OTHER
    const oauth = seedOAuth(loaded, providers, name, options.folder)
    const keeper =
      oauth && new TokenKeeper({ ...options, ...oauth, seed: name, provider: provider.name })
    if (keeper) tokens.push(keeper)
    return {
      name,
      provider,
      address: row.address,
      imap: accountOf(loaded, name, row, provider, keeper),
      connections: sharersOf(config, providers, seedLogin(row, provider)).length,
      signIn: oauth ? 'oauth2' : 'password',
      ...(row.junk_folder !== undefined && { junkFolder: row.junk_folder }),
      ...(row.created !== undefined && { createdAt: row.created }),
      dailyCap: row.daily_cap,
      pollEvery: config.imap.poll_every,
      othersEvery: Math.max(
        config.imap.poll_every,
        Math.min(10 * config.imap.poll_every, 10 * MINUTE),
      ),
      retryAfter: retryAfterOf(config),
    }
  })
  return { seeds, tokens }
}

/** How long an account is left in peace after a sign-in that failed. */
export function retryAfterOf({ imap: { retry_after: least } }: LoadedProbes['config']): {
  readonly least: number
  readonly most: number
} {
  return { least, most: Math.max(least, LONGEST_RETRY) }
}

function accountOf(
  { seeds }: LoadedProbes,
  name: string,
  row: LoadedProbes['config']['seeds'][string],
  provider: Provider,
  keeper: TokenKeeper | undefined,
): ImapAccount {
  const { imap } = row
  const { ca, password = new Secret('') } = seeds.get(name) ?? {}
  return {
    ...seedLogin(row, provider),
    port: imap.port ?? provider.imap?.port ?? 993,
    credential: keeper
      ? fresh => keeper.credential(fresh)
      : () => Promise.resolve({ kind: 'password', password }),
    ...(ca !== undefined && { ca }),
    ...(imap.server_name !== undefined && { servername: imap.server_name }),
  }
}
