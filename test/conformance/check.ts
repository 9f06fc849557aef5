import { WireClient, WireClosed, type Endpoint, type WireReply } from './wire-client.ts'

/** M = MUST, MN = MUST NOT, S = SHOULD, SN = SHOULD NOT, y = MAY, p = policy of ours. */
export type Level = 'M' | 'MN' | 'S' | 'SN' | 'y' | 'p'

/** `latitude` is what the standard permits and does not recommend. `inconclusive` never counts as passed. */
export const OUTCOMES = ['conformant', 'non-conformant', 'latitude', 'inconclusive'] as const
export type Outcome = (typeof OUTCOMES)[number]

export interface Finding {
  readonly outcome: Outcome
  readonly detail: string
}

/** One statement of a standard and how to see whether a server keeps it. */
export interface Check {
  readonly id: string
  readonly statement: string
  readonly source: string
  readonly level: Level
  run(probe: Probe): Promise<void>
}

/** A message as the server under test has stored it. */
export interface Stored {
  readonly content: Buffer
  readonly recipients: readonly string[]
  readonly eightBit: boolean
}

export interface ProbeOptions {
  readonly endpoint: Endpoint
  readonly login: string
  readonly password: string
  /** An address the login may send as, and one that may be written to: mail for it is really submitted. */
  readonly sender: string
  readonly recipient: string
  /** Messages that hold a text, once the server is done; only where one can look behind it. */
  readonly stored?: (marker: string) => readonly Stored[] | Promise<readonly Stored[]>
  /** Checks may take minutes, or lock this network out of the login. */
  readonly drastic?: boolean
  readonly cut?: (octets: number) => number
}

class Judged extends Error {
  readonly outcome: Outcome

  constructor(outcome: Outcome, detail: string) {
    super(detail)
    this.outcome = outcome
  }
}

/** The server under test as a check sees it. Clients made here are closed when the check is over. */
export class Probe {
  readonly options: ProbeOptions
  readonly #clients: WireClient[] = []
  #markers = 0

  constructor(options: ProbeOptions) {
    this.options = options
  }

  /** Connected, greeting not yet read. */
  async connected(): Promise<WireClient> {
    const client = await WireClient.connect(this.options.endpoint)
    client.cut = this.options.cut
    this.#clients.push(client)
    return client
  }

  /** Greeting read; in clear text where the port has STARTTLS. */
  async plain(): Promise<WireClient> {
    const client = await this.connected()
    const greeting = await client.reply()
    this.need(greeting.code === 220, `greeted with ${greeting.text}`)
    return client
  }

  /** In TLS, EHLO not yet said again. */
  async secured(): Promise<WireClient> {
    const client = await this.plain()
    if (this.options.endpoint.tls === 'starttls') {
      // RFC 3207 section 4: a client knows of STARTTLS from EHLO, and some servers insist.
      await client.command('EHLO client.example.org')
      const answer = await client.startTls()
      this.need(answer.code === 220, `STARTTLS: ${answer.text}`)
    }
    return client
  }

  /** In TLS, after EHLO. */
  async greeted(): Promise<WireClient> {
    const client = await this.secured()
    const answer = await client.command('EHLO client.example.org')
    this.need(answer.code === 250, `EHLO: ${answer.text}`)
    return client
  }

  /** Logged in. */
  async session(): Promise<WireClient> {
    const client = await this.greeted()
    const answer = await client.logIn(this.options.login, this.options.password)
    this.need(answer.code === 235, `login: ${answer.text}`)
    return client
  }

  /** Logged in, with a sender and one recipient. */
  async transaction(): Promise<WireClient> {
    const client = await this.session()
    await this.begin(client)
    return client
  }

  async begin(client: WireClient): Promise<void> {
    const mail = await client.command(`MAIL FROM:<${this.options.sender}>`)
    this.need(mail.code === 250, `MAIL: ${mail.text}`)
    const rcpt = await client.command(`RCPT TO:<${this.options.recipient}>`)
    this.need(rcpt.code === 250, `RCPT: ${rcpt.text}`)
  }

  /** Sends a message as it is, its end included. @returns what the server said to it */
  async deliver(client: WireClient, content: Buffer | string): Promise<WireReply> {
    await this.begin(client)
    const data = await client.command('DATA')
    this.need(data.code === 354, `DATA: ${data.text}`)
    await client.write(content)
    return client.reply()
  }

  /** A text by which a message is found again. */
  marker(): string {
    return `conformance-${Date.now().toString(36)}-${++this.#markers}`
  }

  /** A header section that every server takes, without its empty line. */
  header(marker: string): string {
    const { sender, recipient } = this.options
    const lines = [
      `From: <${sender}>`,
      `To: <${recipient}>`,
      `Subject: ${marker}`,
      'Date: Mon, 23 Nov 2026 12:00:00 +0000',
      `Message-ID: <${marker}@client.example.org>`,
    ]
    return lines.map(line => `${line}\r\n`).join('')
  }

  /** The one message with this marker. */
  async stored(marker: string): Promise<Stored> {
    const found = await this.options.stored?.(marker)
    if (!found) return this.inconclusive('nobody can look behind this server')
    const [first, ...more] = found
    if (!first || more.length > 0)
      return this.broken(`${found.length} messages were stored, not one`)
    return first
  }

  /** The extensions in an EHLO reply: keyword -> parameters. */
  extensions(reply: WireReply): ReadonlyMap<string, string> {
    return new Map(
      reply.lines.slice(1).map(line => {
        const [keyword = '', ...rest] = line.slice(4).split(' ')
        return [keyword.toUpperCase(), rest.join(' ')]
      }),
    )
  }

  need(holds: boolean, otherwise: string): void {
    if (!holds) this.inconclusive(otherwise)
  }

  must(holds: boolean, otherwise: string): void {
    if (!holds) this.broken(otherwise)
  }

  should(holds: boolean, otherwise: string): void {
    if (!holds) throw new Judged('latitude', otherwise)
  }

  /** The reply must have one of these codes. */
  expect(reply: WireReply, codes: readonly number[], what: string): void {
    this.must(codes.includes(reply.code), `${what}: ${reply.text}`)
  }

  broken(detail: string): never {
    throw new Judged('non-conformant', detail)
  }

  inconclusive(detail: string): never {
    throw new Judged('inconclusive', detail)
  }

  close(): void {
    for (const client of this.#clients) client.destroy()
  }
}

/** Runs one check. */
export async function find(check: Check, options: ProbeOptions): Promise<Finding> {
  const probe = new Probe(options)
  try {
    await check.run(probe)
    return { outcome: 'conformant', detail: '' }
  } catch (error) {
    if (error instanceof Judged) return { outcome: error.outcome, detail: error.message }
    // A server that closes at the first fault leaves the rest of the question open.
    if (error instanceof WireClosed) return { outcome: 'inconclusive', detail: error.message }
    throw error
  } finally {
    probe.close()
  }
}
