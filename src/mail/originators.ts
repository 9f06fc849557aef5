import { isUtf8 } from 'node:buffer'

import type { HeaderField } from './headers.ts'
import { readMailboxList } from './mailbox-list.ts'

/** Who a message claims to come from, or why there is no saying. Addresses are in the spelling of `addressKey`. */
export type Originators =
  | {
      readonly ok: true
      /** Every mailbox of From. */
      readonly from: readonly string[]
      /** Every mailbox of Sender, Resent-From and Resent-Sender. */
      readonly sender: readonly string[]
    }
  | { readonly ok: false; readonly problem: string }

const SENDERS: ReadonlySet<string> = new Set(['sender', 'resent-from', 'resent-sender'])

/**
 * Everybody a message claims to come from (RFC 5322 section 3.6.2, 3.6.6). The one parser for this question: a
 * guard in one of two parsers is no guard. Anything that two programs might read differently is a problem, never a
 * guess.
 *
 * @returns a problem if From is absent, present twice or unclear, if Sender is present twice or unclear, and if the
 * header section holds a line that is no field, since what follows such a line is anybody's reading. The problem is
 * a sentence for the sender and holds nothing from the message.
 */
export function originators(fields: readonly HeaderField[]): Originators {
  for (const field of fields) {
    if (field.name === '') return unclear('The header section holds a line that is no field')
    // A lone CR or LF ends a line for some programs, NUL a text.
    if (/\0|\r(?!\n)|(?<!\r)\n/.test(field.raw.toString('latin1'))) {
      return unclear('The header section holds a bare CR, LF or NUL')
    }
  }
  const from: string[] = []
  const sender: string[] = []
  const seen = new Map<string, number>()
  for (const field of fields) {
    if (field.name !== 'from' && !SENDERS.has(field.name)) continue
    const count = (seen.get(field.name) ?? 0) + 1
    seen.set(field.name, count)
    // Resent fields come in blocks, one a resending (RFC 5322 section 3.6.6); the others once (section 3.6).
    if (count > 1 && !field.name.startsWith('resent-')) {
      return unclear(`There is more than one ${titleOf(field)} field`)
    }
    const problem = problemOfForm(field)
    if (problem !== undefined) return unreadable(field, problem)
    const list = readMailboxList(field.value)
    if (!list.ok) return unreadable(field, list.problem)
    if (field.name.endsWith('sender') && list.mailboxes.length > 1) {
      return unclear(`The ${titleOf(field)} field names more than one`)
    }
    ;(field.name === 'from' ? from : sender).push(...list.mailboxes)
  }
  return from.length === 0 ? unclear('There is no From field') : { ok: true, from, sender }
}

function problemOfForm(field: HeaderField): string | undefined {
  if (!isUtf8(field.raw)) return 'it is not UTF-8'
  // RFC 5322 section 3.2.2 forbids to write a line of white space only: to some programs it ends the header.
  if (/\n[ \t]+\r?(?:\n|$)/.test(field.raw.toString('latin1'))) return 'it holds an empty line'
  return undefined
}

function unreadable(field: HeaderField, problem: string): Originators {
  return unclear(`The ${titleOf(field)} field cannot be read: ${problem}`)
}

function titleOf({ name }: HeaderField): string {
  return name.replaceAll(/(?:^|-)[a-z]/g, start => start.toUpperCase())
}

function unclear(problem: string): Originators {
  return { ok: false, problem }
}
