import { parseReply } from '../mail/reply.ts'

/**
 * The queue id in a reply to the final dot: `queued as ID` (Postfix, and ours), `id=ID` (Exim), or an id that stands
 * alone.
 *
 * @returns '' where there is none
 */
export function queueIdOf(response: string): string {
  const text = parseReply(response)?.text ?? response
  const named =
    /\bqueued (?:mail )?(?:as|id:?)\s+<?([A-Za-z0-9.-]{4,64})|\bid[=:]\s*<?([A-Za-z0-9.-]{4,64})/i.exec(
      text,
    )
  if (named) return (named[1] ?? named[2] ?? '').replace(/[.-]+$/, '')
  // An id has at least one digit; `accepted` and `Message` have none.
  const bare = /(?:^|\s)(?=[A-Za-z0-9]*\d)([A-Z0-9]{8,32})(?=[\s.;,]|$)/.exec(text)
  return bare?.[1] ?? ''
}
