import { Mailbox } from './mailbox.ts'

/** A folder as a provider gives it to every account. */
export interface FolderRow {
  /** As sent on the wire: modified UTF-7 (RFC 3501 section 5.1.3). */
  readonly name: string
  readonly attributes: readonly string[]
}

/** One person's mail at a provider. */
export class Account {
  readonly username: string
  readonly password: string
  readonly #mailboxes = new Map<string, Mailbox>()
  readonly #madeAt: number

  /**
   * @param madeAt seconds since the epoch, of which UIDVALIDITY is made: an account that begins anew counts its UIDs from
   * 1 again, and must tell clients that remember the old ones (RFC 3501 section 2.3.1.1)
   */
  constructor(
    username: string,
    password: string,
    folders: readonly FolderRow[],
    madeAt = 1_700_000_000,
  ) {
    this.username = username
    this.password = password
    this.#madeAt = madeAt
    for (const folder of folders) this.create(folder.name, folder.attributes)
  }

  get mailboxes(): readonly Mailbox[] {
    return [...this.#mailboxes.values()]
  }

  create(name: string, attributes: readonly string[] = []): Mailbox {
    // Differs from folder to folder: a client that mixes up two folders' cursors is to notice.
    const mailbox = new Mailbox(name, attributes, this.#madeAt + this.#mailboxes.size)
    this.#mailboxes.set(keyOf(name), mailbox)
    return mailbox
  }

  get(name: string): Mailbox | undefined {
    return this.#mailboxes.get(keyOf(name))
  }

  /** The folder with this attribute, `\Junk`. */
  withAttribute(attribute: string): Mailbox | undefined {
    return this.mailboxes.find(mailbox => mailbox.attributes.includes(attribute))
  }
}

// RFC 3501 section 5.1: INBOX alone is compared without case.
function keyOf(name: string): string {
  return /^inbox$/i.test(name) ? 'INBOX' : name
}
