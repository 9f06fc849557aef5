import { isIPv6 } from 'node:net'

/**
 * An address as lists are asked about it (RFC 5782 sections 2.1 and 2.4): octets or nibbles, the last first.
 *
 * @returns `10.2.0.192`, without the zone that comes behind
 */
export function reversed(address: string): string {
  if (!isIPv6(address)) return address.split('.').toReversed().join('.')
  return nibbles(address).split('').toReversed().join('.')
}

/** The 32 hexadecimal digits of an IPv6 address. */
function nibbles(address: string): string {
  // The parser of URLs writes every spelling, with dots or without, in the one of RFC 5952.
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1)
  const [head = '', tail] = canonical.split('::')
  const left = groups(head)
  const right = tail === undefined ? [] : groups(tail)
  const gap = Array<string>(8 - left.length - right.length).fill('0000')
  return [...left, ...gap, ...right].join('')
}

function groups(text: string): string[] {
  return text === '' ? [] : text.split(':').map(group => group.padStart(4, '0'))
}
