import type { Clock, Random } from '../base/clock.ts'
import type { StateFolder } from '../base/state-folder.ts'
import type { Provider } from '../mail/provider.ts'
import type { Resolver } from '../relay/transport/resolver.ts'

/** What the parts are given from outside the configuration: the world, or the demo's. */
export interface Surroundings {
  readonly clock: Clock
  readonly random: Random
  /** The state folder, held for as long as the parts run. */
  readonly folder: StateFolder
  readonly providers: readonly Provider[]
  /** Where mail for a domain goes, instead of the DNS. */
  readonly resolver?: Resolver
}
