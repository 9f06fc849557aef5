import type { LoadedRelay } from '../config/load-relay.ts'
import type { Ledger } from '../relay/limits/ledger.ts'
import type { LoginLimits } from '../relay/limits/login-limits.ts'
import { Meter } from '../relay/limits/meter.ts'
import { RecipientDigests } from '../relay/limits/recipient-digests.ts'
import type { Surroundings } from './surroundings.ts'

/** What each login may send: `per_login`, and for some of them what `logins` says instead. */
export function limitsOfLogins({ config }: LoadedRelay): (login: string) => LoginLimits {
  const { per_login: everybody, logins } = config.limits
  const exceptions = new Map(
    Object.entries(logins).map(([login, own]): [string, LoginLimits] => {
      const given = Object.entries(own).filter(([, value]) => value !== undefined)
      return [login, { ...everybody, ...Object.fromEntries(given) }]
    }),
  )
  return login => exceptions.get(login) ?? everybody
}

export function createMeter(
  limitsOf: (login: string) => LoginLimits,
  ledger: Ledger,
  key: Uint8Array,
  { clock }: Surroundings,
): Meter {
  return new Meter({
    ledger,
    limitsOf,
    digests: new RecipientDigests(key),
    clock,
  })
}
