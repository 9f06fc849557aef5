import type { LoadedRelay } from '../config/load-relay.ts'
import { findProvider, findRule, providerOfHost } from '../mail/provider-table.ts'
import type { Shaping } from '../mail/provider.ts'
import { DEFAULT_SHAPING, OTHER } from '../mail/providers.ts'
import type { ShapingOptions } from '../relay/queue/shaper.ts'
import type { HostLimits } from '../relay/transport/connection-pool.ts'
import type { Resolver } from '../relay/transport/resolver.ts'
import { siteHostOf } from '../relay/transport/site-host.ts'
import type { Surroundings } from './surroundings.ts'

// A smarthost is the operator's own choice, and says itself what it does not bear.
const UNLIMITED: Shaping = {
  connections: Infinity,
  messagesPerConnection: Infinity,
  messagesPerMinute: Infinity,
}

/** What each provider is sent: the table's row, and what the configuration says instead. */
export function createShaping(
  { config }: LoadedRelay,
  { providers }: Pick<Surroundings, 'providers'>,
  resolver: Resolver,
): { readonly queue: ShapingOptions; readonly limitsOf: (host: string) => HostLimits } {
  const { back_off, shaping, smarthost } = config.delivery
  const limitsOf = (provider: string): Shaping => {
    const row = findProvider(provider, providers)?.shaping ?? DEFAULT_SHAPING
    const own = new Map(Object.entries(shaping)).get(provider)
    return {
      connections: own?.connections ?? row.connections,
      messagesPerConnection: own?.messages_per_connection ?? row.messagesPerConnection,
      messagesPerMinute: own?.messages_per_minute ?? row.messagesPerMinute,
    }
  }
  const siteOf = (host: string): { name: string; provider: string } => {
    const provider = providerOfHost(host, providers)
    return { name: provider === OTHER.name ? host : provider, provider }
  }
  return {
    queue: {
      siteOf: async domain => siteOf(smarthost?.host ?? (await siteHostOf(domain, resolver))),
      limitsOf: provider => (smarthost === undefined ? limitsOf(provider) : UNLIMITED),
      pauseOf: (reply, provider) => {
        if (reply.code < 400) return undefined
        return findRule(reply, findProvider(provider, providers)?.replyRules ?? [])?.pause
      },
      backOff: { recovery: back_off.recovery, longestPause: back_off.longest_pause },
    },
    limitsOf: host => {
      const { name, provider } = siteOf(host)
      const { connections, messagesPerConnection } = limitsOf(provider)
      return { site: name, connections, messages: messagesPerConnection }
    },
  }
}
