import { Door } from '../account/door.ts'
import type { ReportAccountEvent } from '../account/events.ts'
import { MailPassword } from '../account/mail-password.ts'
import type { Refusals } from '../account/refusals.ts'
import { SelfService, type MailOfLogin } from '../account/self-service.ts'
import type { Part } from '../base/lifecycle.ts'
import type { LoadedRelay } from '../config/load-relay.ts'
import { LdapOwners, type LdapOwnersOptions } from '../directory/ldap-owner.ts'
import { PasswordMaker } from '../directory/password/maker.ts'
import { classify, providerOfHost, findProvider } from '../mail/provider-table.ts'
import { usesOf } from '../relay/limits/use.ts'
import { ldapAccess } from './directory-part.ts'
import type { Relay } from './relay-parts.ts'
import type { Surroundings } from './surroundings.ts'

/** The page where people look after their own account, as far as it is not the page itself. */
export interface Account {
  readonly service: SelfService
  readonly parts: readonly Part[]
  /** Asks the directory as a changed file says. */
  readonly useDirectory: (loaded: LoadedRelay) => void
}

// Shown on the page: the last few tell what a person asks for.
const REFUSED_SHOWN = 10
const WAITING_COUNTED = 1_000

/** @returns undefined where the configuration does not ask for it */
export function createSelfService(
  loaded: LoadedRelay,
  surroundings: Surroundings,
  relay: Relay,
  { report, refusals }: { readonly report: ReportAccountEvent; readonly refusals: Refusals },
): Account | undefined {
  const settings = loaded.config.web?.account
  if (settings === undefined) return undefined
  const { clock } = surroundings
  const { directory, applicationPasswords } = relay
  const access = ownersAccess(loaded)
  const owners = access && new LdapOwners(access)
  const door = new Door({
    directory,
    throttle: relay.submission.throttle,
    ...(owners && { owners }),
    report,
    clock,
  })
  const maker = owners && new PasswordMaker(settings.hash)
  return {
    service: new SelfService({
      directory,
      door,
      ...(owners &&
        maker && {
          mailPassword: new MailPassword({ directory, owners, maker, door, report, clock }),
        }),
      ...(applicationPasswords && { applicationPasswords }),
      mail: mailOfLogin(surroundings, relay),
      refusals,
      clock,
    }),
    parts: maker === undefined ? [] : [maker],
    useDirectory(next) {
      const changed = ownersAccess(next)
      if (changed !== undefined) owners?.reconfigure(changed)
    },
  }
}

/** How people are asked for at LDAP; undefined where there is none. */
function ownersAccess(loaded: LoadedRelay): LdapOwnersOptions | undefined {
  const access = ldapAccess(loaded)
  const writeUrl = loaded.config.web?.account?.write_url
  return access && { ...access, ...(writeUrl !== undefined && { writeUrl }) }
}

function mailOfLogin({ clock, providers }: Surroundings, relay: Relay): MailOfLogin {
  const { store, limitsOf } = relay
  return {
    async limits(login) {
      const limits = limitsOf(login)
      const now = clock()
      const usage = await store.ledger.usage(login, now)
      return { over: limits.over, uses: usesOf(usage, limits, now) }
    },
    async waiting(login) {
      const limit = WAITING_COUNTED
      const waiting = await store.list({ limit, of: { kind: 'login', value: login } })
      const held = waiting.filter(({ state }) => state === 'held')
      return {
        queued: waiting.length - held.length,
        held: held.length,
        reasons: [...new Set(held.map(({ kept }) => kept))].slice(0, 3),
        more: waiting.length === limit,
      }
    },
    refused: login => store.refused(login, REFUSED_SHOWN),
    classify: (reply, host) =>
      classify(reply, findProvider(providerOfHost(host, providers), providers)),
  }
}
