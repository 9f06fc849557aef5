import { networkInterfaces } from 'node:os'

import type { Part } from '../base/lifecycle.ts'
import type { LoadedRelay } from '../config/load-relay.ts'
import { classify, findProvider, providerOfHost } from '../mail/provider-table.ts'
import type { Provider } from '../mail/provider.ts'
import type { ReportRelayEvent } from '../relay/events.ts'
import type { ShapingOptions } from '../relay/queue/shaper.ts'
import type { HostLimits } from '../relay/transport/connection-pool.ts'
import { DirectMx, type AddressOrder } from '../relay/transport/direct-mx.ts'
import type { Classify } from '../relay/transport/host-result.ts'
import { MtaSts } from '../relay/transport/mta-sts.ts'
import type { Resolver } from '../relay/transport/resolver.ts'
import { Smarthost } from '../relay/transport/smarthost.ts'
import { fetchStsPolicy } from '../relay/transport/sts-fetch.ts'
import { StsPolicies } from '../relay/transport/sts-policies.ts'
import { SystemResolver } from '../relay/transport/system-resolver.ts'
import type { Transport } from '../relay/transport/transport.ts'
import { createShaping } from './shaping-part.ts'
import type { Surroundings } from './surroundings.ts'

/** How mail leaves, and what to close behind it. */
export interface Delivery {
  readonly transport: Transport
  readonly shaping: ShapingOptions
  readonly part: Part
}

/** @throws Problem where the configuration names what is not there */
export function createDelivery(
  loaded: LoadedRelay,
  world: Surroundings,
  report: ReportRelayEvent,
): Delivery {
  const { direct } = loaded.config.delivery
  const dns = new SystemResolver({ servers: direct.nameservers, port: direct.port })
  const { clock } = world
  const policies = new StsPolicies({
    clock,
    path: world.folder.file('sts-policies.json'),
    failed: cause => report({ kind: 'relay-fault', part: 'MTA-STS', cause }),
  })
  const sts = new MtaSts({ txt: name => dns.txt(name), fetch: fetchStsPolicy, policies, clock })
  const resolver = world.resolver ?? dns
  const { queue, limitsOf } = createShaping(loaded, world, resolver)
  const transport = createTransport(loaded, world, { resolver, sts, limitsOf })
  return {
    transport,
    shaping: queue,
    part: {
      name: 'transport',
      start: () => policies.load(),
      async stop() {
        dns.close()
        sts.close()
        await transport.close()
        await policies.saved()
      },
    },
  }
}

function createTransport(
  { config, smarthost: secrets }: LoadedRelay,
  world: Surroundings,
  {
    resolver,
    sts,
    limitsOf,
  }: {
    readonly resolver: Resolver
    readonly sts: MtaSts
    readonly limitsOf: (host: string) => HostLimits
  },
): Transport {
  const { direct, smarthost } = config.delivery
  const byHost: Classify = (reply, host) =>
    classify(reply, findProvider(providerOfHost(host, world.providers), world.providers))
  if (smarthost !== undefined) {
    const { username, host, port, tls } = smarthost
    const { ca, password } = secrets
    return new Smarthost({
      hostname: config.hostname,
      host,
      port,
      tls,
      ...(ca !== undefined && { ca }),
      ...(username !== undefined &&
        password !== undefined && { credentials: { user: username, password } }),
      resolver,
      classify: byHost,
    })
  }
  return new DirectMx({
    hostname: config.hostname,
    resolver,
    classify: byHost,
    tls: { policy: direct.tls },
    // A world of its own has no policies in the DNS, and all its hosts on loopback.
    ...(world.resolver === undefined && { sts }),
    own: {
      names: [config.hostname],
      addresses: direct.allow_loopback || world.resolver ? [] : ownAddresses(),
    },
    addressOrder: addressOrderBy(direct, world.providers),
    pool: { limitsOf },
    clock: world.clock,
    random: world.random,
  })
}

/** The order for a domain goes before that for a provider, and both before the one for all. */
export function addressOrderBy(
  direct: Pick<LoadedRelay['config']['delivery']['direct'], 'address_order' | 'address_order_of'>,
  providers: readonly Provider[],
): (domain: string, host: string) => AddressOrder {
  const orders = new Map(Object.entries(direct.address_order_of))
  return (domain, host) =>
    orders.get(domain) ?? orders.get(providerOfHost(host, providers)) ?? direct.address_order
}

/** Addresses of this host: no MX of another domain has business to be one of them. */
function ownAddresses(): string[] {
  const found = Object.values(networkInterfaces()).flatMap(addresses => addresses ?? [])
  return ['127.0.0.0/8', '::1', ...found.map(({ address }) => address.replace(/%.*$/, ''))]
}
