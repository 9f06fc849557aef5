import { withoutAddresses } from './redact.ts'

/** What must not be seen in a transcript, beside what every account has. */
export interface TranscriptSecrets {
  readonly address: string
  readonly username: string
  /** Domains of the organisation: origins' own. */
  readonly domains: readonly string[]
}

const MAX_LINES = 2_000
const MAX_LINE = 1_000
// A run of letters and digits as long as that is a name of a session, a host or a message.
const OPAQUE = /(?=[A-Za-z+/=_-]*\d)(?=[\d+/=_-]*[A-Za-z])[A-Za-z0-9+/=_-]{16,}/g
const IPV4 = /\b\d{1,3}(?:\.\d{1,3}){3}\b/g
const IPV6 = /\b(?:[0-9a-f]{1,4}:){2,7}[0-9a-f:]*[0-9a-f]\b/gi

/**
 * An IMAP session as text that can be shown to strangers, so that they can correct what we believe of a provider: no
 * password or token (the frames that sign in never come here), no addresses, no names of folders that the person has made.
 */
export class Transcript {
  readonly #secrets: TranscriptSecrets
  readonly #lines: string[] = []
  readonly #rest = { client: '', server: '' }

  constructor(secrets: TranscriptSecrets) {
    this.#secrets = secrets
  }

  /** Takes what went over the wire, in whatever pieces. */
  hear(from: 'client' | 'server', text: string): void {
    const lines = (this.#rest[from] + text).split('\r\n')
    this.#rest[from] = (lines.pop() ?? '').slice(0, 64 * 1024)
    for (const line of lines) {
      if (this.#lines.length >= MAX_LINES) return
      this.#lines.push(`${from === 'client' ? 'C' : 'S'}: ${this.#redacted(line)}`)
    }
  }

  text(): string {
    return this.#lines.map(line => `${line}\n`).join('')
  }

  #redacted(line: string): string {
    const { address, username, domains } = this.#secrets
    let text = withoutFolderName(line)
    const names = [address, username, address.slice(0, address.lastIndexOf('@'))]
    for (const name of names.filter(name => name.length > 2)) {
      text = text.replaceAll(literally(name), '<login>')
    }
    text = withoutAddresses(text)
    for (const domain of domains) {
      text = text.replaceAll(literally(domain), '<domain>')
    }
    text = text.replaceAll(IPV4, '<ip>').replaceAll(IPV6, '<ip>').replaceAll(OPAQUE, '<opaque>')
    // Nothing but printable ASCII: what moves a cursor is nobody's business.
    return text.replaceAll(/[^\u0020-\u007E]/g, '?').slice(0, MAX_LINE)
  }
}

/**
 * Folders that people make have telling names. Those that the provider makes are what a transcript is for: they bear an
 * attribute of RFC 6154, or are INBOX, or stand below a bracketed root as at Gmail.
 */
function withoutFolderName(line: string): string {
  const listed = /^(\* (?:LIST|LSUB|XLIST) \(([^)]*)\) (?:"[^"]*"|NIL) )(.+)$/i.exec(line)
  if (!listed) return line
  const [, head = '', attributes = '', name = ''] = listed
  const own = /\\(?:all|archive|drafts|flagged|important|junk|sent|trash|spam)\b/i.test(attributes)
  return own ||
    /^"?(?:inbox|\[[^\]]+\](?:\/.*)?|junk.*|spam|bulk.*|archive|notes|outbox)"?$/i.test(name)
    ? line
    : `${head}"<folder>"`
}

function literally(text: string): RegExp {
  return new RegExp(text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`), 'gi')
}
