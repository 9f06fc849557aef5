/** Events that a sender may ask to be told of (RFC 3461 section 4.1); an empty list in `notify` means NEVER. */
export type Notify = 'success' | 'failure' | 'delay'

export interface Recipient {
  /** `local@domain`, exactly as the client wrote the local part (RFC 5321 section 2.4), without angle brackets. */
  readonly address: string
  /** What was asked for in NOTIFY; undefined where nothing was asked, which is not the same as NEVER (`[]`). */
  readonly notify?: readonly Notify[]
  /** ORCPT as received, still in xtext: `rfc822;bob@example.net`. */
  readonly orcpt?: string
}

/** What the SMTP dialogue says of a message, as opposed to what its header says (RFC 5321 section 2.3.1). */
export interface Envelope {
  /** Where reports go; '' is the null reverse path of a report (RFC 5321 section 4.5.5). */
  readonly reversePath: string
  readonly recipients: readonly Recipient[]
  /** The content may hold octets above 127 (RFC 6152). Found by looking, not by what the client declared. */
  readonly eightBit: boolean
  /** The message needs RFC 6531 at every hop. */
  readonly smtputf8: boolean
  /** RET of RFC 3461: how much of the message a failure report should return. */
  readonly ret?: 'full' | 'headers'
  /** ENVID of RFC 3461, still in xtext. */
  readonly envid?: string
}

/** The domain of an address in lower case, or '' where it has none (`postmaster`). */
export function domainOf(address: string): string {
  const at = address.lastIndexOf('@')
  return at < 0 ? '' : address.slice(at + 1).toLowerCase()
}
