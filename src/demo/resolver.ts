/** The DNS as delivery needs it; the same shape as the relay's own, which this cannot import. */
export interface DemoResolver {
  mx(domain: string): Promise<MxAnswer>
  addresses(host: string): Promise<AddressAnswer>
}

type MxAnswer =
  | {
      readonly kind: 'mx'
      readonly hosts: readonly { readonly host: string; readonly preference: number }[]
    }
  | { readonly kind: 'nonexistent' }

type AddressAnswer =
  | {
      readonly kind: 'addresses'
      readonly endpoints: readonly { readonly address: string; readonly port: number }[]
    }
  | { readonly kind: 'none' }

export interface MailHost {
  readonly domains: readonly string[]
  readonly host: string
  readonly address: string
  /** Asked for at each look: a host that listens on any port knows it late. */
  readonly port: () => number
}

/** Answers from a table. A name outside the demo does not exist: no mail of the demo can leave this machine. */
export function demoResolver(hosts: readonly MailHost[]): DemoResolver {
  return {
    mx: domain => {
      const wanted = withoutDot(domain)
      const found = hosts.filter(host => host.domains.includes(wanted))
      return Promise.resolve(
        found.length === 0
          ? { kind: 'nonexistent' }
          : { kind: 'mx', hosts: found.map(({ host }) => ({ host, preference: 10 })) },
      )
    },
    addresses: host => {
      const wanted = withoutDot(host)
      const found = hosts.filter(candidate => candidate.host === wanted)
      return Promise.resolve(
        found.length === 0
          ? { kind: 'none' }
          : {
              kind: 'addresses',
              endpoints: found.map(({ address, port }) => ({ address, port: port() })),
            },
      )
    },
  }
}

function withoutDot(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}
