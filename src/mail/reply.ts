/**
 * A reply of an SMTP server (RFC 5321 section 4.2), or one of our own in the same shape.
 *
 * There are no nulls: a reply without an enhanced status code has `enhanced: ''`. Code that needs a status for a
 * report asks `statusOf`, so that a report never says less than the remote did.
 */
export interface Reply {
  /** 200 to 599; 0 where no reply was received at all (connection refused, lost, timed out). */
  readonly code: number
  /** Enhanced status code of RFC 3463, such as `5.7.26`, or ''. */
  readonly enhanced: string
  /** The text of all lines, joined by a space, without codes; control characters removed. */
  readonly text: string
}

const LINE = /^(\d{3})(?:[ -](.*))?$/
// RFC 3463 section 2: class "." subject "." detail, each of at most three digits.
const ENHANCED = /^([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)/

/**
 * Reads the lines of one reply, with or without line ends.
 *
 * @returns undefined if the text is no reply or its lines disagree about the code (RFC 5321 section 4.2.1)
 */
export function parseReply(text: string): Reply | undefined {
  const lines = text.split(/\r\n|\r|\n/).filter(line => line !== '')
  let code = 0
  let enhanced = ''
  const words: string[] = []
  for (const line of lines) {
    const match = LINE.exec(line)
    if (!match) return undefined
    const seen = Number(match[1])
    if (code !== 0 && seen !== code) return undefined
    code = seen
    let rest = match[2] ?? ''
    const status = ENHANCED.exec(rest)
    // RFC 2034 section 4: the class of the enhanced code is that of the reply; anything else is just text.
    if (status?.[1]?.startsWith(String(Math.floor(code / 100)))) {
      enhanced ||= status[1]
      rest = rest.slice(status[0].length)
    }
    words.push(printable(rest))
  }
  if (code < 200 || code > 599) return undefined
  return { code, enhanced, text: words.join(' ').trim() }
}

/** A reply that no server sent: what went wrong before one could be had. */
export function noReply(text: string): Reply {
  return { code: 0, enhanced: '', text: printable(text) }
}

/** The reply as one line, `550 5.1.1 No such user`; for people, logs and Diagnostic-Code (RFC 3464 section 2.3.6). */
export function formatReply(reply: Reply): string {
  return [reply.code === 0 ? '' : String(reply.code), reply.enhanced, reply.text]
    .filter(part => part !== '')
    .join(' ')
}

/** The RFC 3463 status for a report: the remote's own, or the class of its code followed by `.0.0`. */
export function statusOf(reply: Reply): string {
  if (reply.enhanced !== '') return reply.enhanced
  return reply.code >= 500 ? '5.0.0' : reply.code >= 400 || reply.code === 0 ? '4.0.0' : '2.0.0'
}

/** Text from outside, made safe for one line of ours: controls (CR, LF, NUL, escape, C1) become spaces. */
export function printable(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim()
}
