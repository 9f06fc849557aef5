import type { CommandPart } from './tokenizer.ts'

const LONGEST_LINE = 64 * 1024
const LONGEST_LITERAL = 1024 * 1024
const LONGEST_COMMAND = 2 * LONGEST_LITERAL

/**
 * Cuts what arrives into commands: lines, and the literals they announce (RFC 3501 section 4.3, RFC 7888). Everything
 * is bounded; who goes beyond has no business here.
 */
export class CommandReader {
  readonly #command: (parts: readonly CommandPart[]) => void
  readonly #goAhead: () => void
  #buffer: Buffer = Buffer.alloc(0)
  #parts: CommandPart[] = []
  #size = 0
  #literal: number | undefined

  /**
   * @param command told of each whole command
   * @param goAhead told when a client waits for leave to send a literal
   */
  constructor(command: (parts: readonly CommandPart[]) => void, goAhead: () => void) {
    this.#command = command
    this.#goAhead = goAhead
  }

  /** @throws RangeError where a line, literal or command is too long */
  push(chunk: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk])
    while (this.#literal === undefined ? this.#takeLine() : this.#takeLiteral(this.#literal));
  }

  #takeLine(): boolean {
    const end = this.#buffer.indexOf('\r\n')
    if (end < 0 || end > LONGEST_LINE) {
      if (this.#buffer.length > LONGEST_LINE) throw new RangeError('line too long')
      return false
    }
    const line = this.#buffer.toString('latin1', 0, end)
    this.#buffer = this.#buffer.subarray(end + 2)
    this.#grow(line.length)
    const announced = /\{(\d{1,10})(\+?)\}$/.exec(line)
    if (announced) {
      this.#parts.push(line.slice(0, announced.index))
      this.#literal = Number(announced[1])
      if (this.#literal > LONGEST_LITERAL) throw new RangeError('literal too long')
      if (announced[2] === '') this.#goAhead()
      return true
    }
    this.#parts.push(line)
    const parts = this.#parts
    this.#parts = []
    this.#size = 0
    this.#command(parts)
    return true
  }

  #takeLiteral(length: number): boolean {
    if (this.#buffer.length < length) return false
    this.#parts.push(Buffer.from(this.#buffer.subarray(0, length)))
    this.#buffer = this.#buffer.subarray(length)
    this.#grow(length)
    this.#literal = undefined
    return true
  }

  #grow(by: number): void {
    this.#size += by
    if (this.#size > LONGEST_COMMAND) throw new RangeError('command too long')
  }
}
