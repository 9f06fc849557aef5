/** Lengths of segments by chance, the same for every run of a check. */
export function segments(seed: string): (octets: number) => number {
  let state = Buffer.from(seed).reduce((sum, octet) => (sum * 31 + octet) >>> 0, 7)
  return octets => {
    // xorshift: what matters is that it repeats.
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    const chance = (state >>> 0) / 2 ** 32
    return octets > 3_000 ? Math.ceil(chance * octets) : 1 + Math.floor(chance * 12)
  }
}
