import { parseReply, type Reply } from '../../mail/reply.ts'
import { SmtpFault } from './smtp-fault.ts'

/** A reply and its lines without their codes, which EHLO needs one by one. */
export interface ReceivedReply {
  readonly reply: Reply
  readonly lines: readonly string[]
}

// RFC 5321 section 4.5.3.1.5 gives a reply line 512 octets; the world is not so strict, but it has an end.
const MAX_LINE = 4_096
const MAX_REPLY = 64 * 1_024
const NOTHING = Buffer.alloc(0)

/**
 * Cuts what a server sends into replies. Memory is bounded whatever it sends: a line or reply that does not end is
 * a fault.
 */
export class ReplyReader {
  #rest: Buffer = NOTHING
  #lines: string[] = []
  #size = 0

  /**
   * @returns the replies that are complete now, in order
   * @throws SmtpFault of kind `protocol`
   */
  push(chunk: Uint8Array): ReceivedReply[] {
    let input =
      this.#rest.length === 0
        ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
        : Buffer.concat([this.#rest, chunk])
    const replies: ReceivedReply[] = []
    for (;;) {
      const end = input.indexOf(0x0a)
      if (end > MAX_LINE || (end < 0 && input.length > MAX_LINE)) {
        throw new SmtpFault('protocol', 'the server sent a reply line without an end')
      }
      if (end < 0) break
      const reply = this.#line(input.toString('utf8', 0, end).replace(/\r$/, ''))
      if (reply) replies.push(reply)
      input = input.subarray(end + 1)
    }
    // A copy, so that a few octets do not keep the whole chunk alive.
    this.#rest = input.length === 0 ? NOTHING : Buffer.from(input)
    return replies
  }

  /** Whether a reply has begun that has not ended. */
  get partial(): boolean {
    return this.#rest.length > 0 || this.#lines.length > 0
  }

  /** Forgets what came so far. */
  clear(): void {
    this.#rest = NOTHING
    this.#lines = []
    this.#size = 0
  }

  #line(line: string): ReceivedReply | undefined {
    this.#lines.push(line)
    this.#size += line.length + 1
    if (this.#size > MAX_REPLY) throw new SmtpFault('protocol', 'the server sent an endless reply')
    if (line[3] === '-') return undefined
    const lines = this.#lines
    this.#lines = []
    this.#size = 0
    const reply = parseReply(lines.join('\r\n'))
    if (!reply) {
      throw new SmtpFault('protocol', `the server sent what is no reply: ${line.slice(0, 80)}`)
    }
    return { reply, lines: lines.map(text => text.slice(4)) }
  }
}
