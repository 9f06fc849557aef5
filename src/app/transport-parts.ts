import { networkInterfaces } from 'node:os'

import type { Part } from '../base/lifecycle.ts'
import type { LoadedRelay } from '../config/load-relay.ts'
import { classify, findProvider, providerOfHost } from '../mail/provider-table.ts'
import { DirectMx } from '../relay/transport/direct-mx.ts'
import type { Classify } from '../relay/transport/host-result.ts'
import { MtaSts } from '../relay/transport/mta-sts.ts'
import { Smarthost } from '../relay/transport/smarthost.ts'
import { fetchStsPolicy } from '../relay/transport/sts-fetch.ts'
import { SystemResolver } from '../relay/transport/system-resolver.ts'
import type { Transport } from '../relay/transport/transport.ts'
import type { Surroundings } from './surroundings.ts'

/** How mail leaves, and what to close behind it. */
export interface Delivery {
  readonly transport: Transport
  readonly part: Part
}

export function createDelivery(loaded: LoadedRelay, world: Surroundings): Delivery {
  const { direct } = loaded.config.delivery
  const dns = new SystemResolver({ servers: direct.nameservers, port: direct.port })
  const sts = new MtaSts({ txt: name => dns.txt(name), fetch: fetchStsPolicy, clock: world.clock })
  const transport = createTransport(loaded, world, { dns, sts })
  return {
    transport,
    part: {
      name: 'transport',
      start: () => Promise.resolve(),
      async stop() {
        dns.close()
        sts.close()
        await transport.close()
      },
    },
  }
}

function createTransport(
  { config, smarthost: secrets }: LoadedRelay,
  world: Surroundings,
  { dns, sts }: { readonly dns: SystemResolver; readonly sts: MtaSts },
): Transport {
  const { direct, smarthost } = config.delivery
  const resolver = world.resolver ?? dns
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
    addressOrder: direct.address_order,
    clock: world.clock,
    random: world.random,
  })
}

/** Addresses of this host: no MX of another domain has business to be one of them. */
function ownAddresses(): string[] {
  const found = Object.values(networkInterfaces()).flatMap(addresses => addresses ?? [])
  return ['127.0.0.0/8', '::1', ...found.map(({ address }) => address.replace(/%.*$/, ''))]
}
