/** One message as a provider keeps it. */
export interface StoredMessage {
  readonly uid: number
  readonly raw: Buffer
  readonly flags: Set<string>
  /** INTERNALDATE, milliseconds since the epoch. */
  readonly internalDate: number
  /** Gmail's name of the message, the same in every folder that shows it. */
  readonly gmailId: string
  readonly labels: readonly string[]
  /** Gmail's tab: a label that the inbox shows, not a folder. */
  readonly tab: string
}

export type NewMessage = Pick<StoredMessage, 'raw' | 'internalDate'> &
  Partial<Pick<StoredMessage, 'gmailId' | 'labels' | 'tab'>> & { readonly flags?: Iterable<string> }

// The demo runs for days: a folder forgets its oldest messages, as UIDs that vanish.
const MOST_MESSAGES = 1_000
const MOST_OCTETS = 32 * 1024 * 1024

let lastGmailId = 1_278_455_344_230_334_865n

/** One folder of an account. UIDs only grow (RFC 3501 section 2.3.1.1). */
export class Mailbox {
  readonly name: string
  /** Attributes that LIST shows beside the folder (`\Junk`, RFC 6154), with or without the SPECIAL-USE word. */
  readonly attributes: readonly string[]
  #uidValidity: number
  #uidNext = 1
  #messages: StoredMessage[] = []
  #octets = 0
  readonly #watchers = new Set<() => void>()

  constructor(name: string, attributes: readonly string[], uidValidity: number) {
    this.name = name
    this.attributes = attributes
    this.#uidValidity = uidValidity
  }

  get uidValidity(): number {
    return this.#uidValidity
  }

  get uidNext(): number {
    return this.#uidNext
  }

  get messages(): readonly StoredMessage[] {
    return this.#messages
  }

  append(message: NewMessage): StoredMessage {
    const stored: StoredMessage = {
      uid: this.#uidNext++,
      raw: message.raw,
      flags: new Set(message.flags),
      internalDate: message.internalDate,
      gmailId: message.gmailId ?? String(++lastGmailId),
      labels: message.labels ?? [],
      tab: message.tab ?? '',
    }
    this.#messages.push(stored)
    this.#octets += stored.raw.length
    while (this.#messages.length > MOST_MESSAGES || this.#octets > MOST_OCTETS) {
      if (this.#messages.length === 1) break
      this.#octets -= this.#messages.shift()?.raw.length ?? 0
    }
    this.#changed()
    return stored
  }

  remove(uids: ReadonlySet<number>): void {
    this.#messages = this.#messages.filter(message => !uids.has(message.uid))
    this.#octets = this.#messages.reduce((sum, message) => sum + message.raw.length, 0)
    this.#changed()
  }

  /** Numbers all messages anew, as after a restored backup: cursors that clients keep are worth nothing now. */
  renumber(): void {
    this.#uidValidity += 1
    this.#uidNext = 1
    this.#messages = this.#messages.map(message =>
      Object.assign({}, message, { uid: this.#uidNext++ }),
    )
    this.#changed()
  }

  /** @returns a function that ends the watching */
  watch(changed: () => void): () => void {
    this.#watchers.add(changed)
    return () => this.#watchers.delete(changed)
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher()
  }
}
