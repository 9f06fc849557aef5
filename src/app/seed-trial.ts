import { MINUTE } from '../base/clock.ts'
import type { Secret } from '../base/secret.ts'
import { findProvider } from '../mail/provider-table.ts'
import type { Provider } from '../mail/provider.ts'
import { OTHER, PROVIDERS } from '../mail/providers.ts'
import type { Seed } from '../probe/seed.ts'

/** An account that is not configured yet. */
export interface SeedTrial {
  readonly name: string
  readonly address: string
  readonly secret: Secret
  readonly username: string | undefined
  readonly host: string | undefined
  readonly port: number | undefined
  readonly servername: string | undefined
  /** PEM. */
  readonly ca: string | undefined
  readonly junk: string | undefined
}

export function providerNamed(name: string): Provider {
  return findProvider(name, PROVIDERS) ?? OTHER
}

/** The seed that it would be: what is looked at once needs no schedule. */
export function seedOf(provider: Provider, trial: SeedTrial): Seed {
  const { name, address, secret, junk, servername, ca } = trial
  const usual =
    provider.imap?.username === 'local-part' ? address.slice(0, address.lastIndexOf('@')) : address
  return {
    name,
    provider,
    address,
    imap: {
      host: trial.host ?? provider.imap?.host ?? '',
      port: trial.port ?? provider.imap?.port ?? 993,
      username: trial.username ?? usual,
      credential: () => Promise.resolve({ kind: 'password', password: secret }),
      ...(ca !== undefined && { ca }),
      ...(servername !== undefined && { servername }),
    },
    signIn: 'password',
    ...(junk !== undefined && { junkFolder: junk }),
    dailyCap: Infinity,
    pollEvery: MINUTE,
    othersEvery: MINUTE,
    retryAfter: { least: MINUTE, most: MINUTE },
  }
}
