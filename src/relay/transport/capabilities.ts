/** What a server offers in its reply to EHLO (RFC 5321 section 4.1.1.1): keyword in capitals to its parameters. */
export class Capabilities {
  readonly #offers: ReadonlyMap<string, string>
  /** The largest message in octets, or undefined where no limit is named (RFC 1870 section 4: 0 names none). */
  readonly sizeLimit: number | undefined

  private constructor(offers: ReadonlyMap<string, string>) {
    this.#offers = offers
    const text = offers.get('SIZE') ?? ''
    const limit = /^\d{1,20}$/.test(text) ? Number(text) : 0
    this.sizeLimit = limit > 0 ? limit : undefined
  }

  /** After HELO, or before anything was said: nothing is offered. */
  static readonly none = new Capabilities(new Map())

  /** @param lines of the reply, without their codes; the first is the server's name */
  static read(lines: readonly string[]): Capabilities {
    const offers = new Map<string, string>()
    for (const line of lines.slice(1)) {
      // `AUTH=PLAIN` is how servers wrote it before the standard did; it is still met.
      const match = /^([a-z0-9][a-z0-9-]*)(?:[ =](.*))?$/i.exec(line.trim())
      const keyword = match?.[1]?.toUpperCase()
      if (keyword !== undefined && !offers.has(keyword)) offers.set(keyword, match?.[2] ?? '')
    }
    return new Capabilities(offers)
  }

  has(keyword: string): boolean {
    return this.#offers.has(keyword)
  }

  /** SASL mechanisms, in capitals. */
  get mechanisms(): readonly string[] {
    return (this.#offers.get('AUTH') ?? '')
      .toUpperCase()
      .split(/\s+/)
      .filter(name => name !== '')
  }
}
