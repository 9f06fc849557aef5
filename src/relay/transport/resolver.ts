/** One address of a next hop. */
export interface Endpoint {
  readonly address: string
  /** 25, but for tests and the demo. */
  readonly port: number
}

export type MxAnswer =
  /** In no particular order; preference as in the DNS, lower is better. */
  | {
      readonly kind: 'mx'
      readonly hosts: readonly { readonly host: string; readonly preference: number }[]
    }
  /** No MX record: the domain itself is the host (RFC 5321 section 5.1). */
  | { readonly kind: 'implicit' }
  /** RFC 7505: the domain takes no mail. */
  | { readonly kind: 'null' }
  /** NXDOMAIN. */
  | { readonly kind: 'nonexistent' }
  /** SERVFAIL, timeout, our own trouble: to be tried again, never a reason to bounce. */
  | { readonly kind: 'unavailable'; readonly cause: string }

export type AddressAnswer =
  | { readonly kind: 'addresses'; readonly endpoints: readonly Endpoint[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'unavailable'; readonly cause: string }

/** The DNS as delivery needs it. Handed in: the demo and the tests answer from a table. */
export interface Resolver {
  mx(domain: string): Promise<MxAnswer>
  addresses(host: string): Promise<AddressAnswer>
}
