/** A tagged NO or BAD (RFC 3501 section 7.1), thrown by a command and answered at the edge of the session. */
export class Refusal extends Error {
  readonly answer: 'NO' | 'BAD'

  constructor(answer: 'NO' | 'BAD', text: string) {
    super(text)
    this.answer = answer
  }
}

export const no = (text: string): Refusal => new Refusal('NO', text)
export const bad = (text: string): Refusal => new Refusal('BAD', text)
