import type { Account } from './account.ts'
import { no } from './refusal.ts'
import { word, words, type Token } from './tokenizer.ts'
import { nstring } from './wire.ts'

/** The lines of a LIST or LSUB answer (RFC 3501 section 6.3.8), with the attributes of RFC 6154. */
export function list(command: 'LIST' | 'LSUB', account: Account, args: readonly Token[]): string[] {
  // RFC 5258 section 3: selection options may stand in front; every folder is shown with all it has anyway.
  const [, pattern] = typeof args[0] === 'object' ? args.slice(1) : args
  const [wanted = ''] = words(pattern)
  if (wanted === '') return [String.raw`* ${command} (\Noselect) "/" ""`]
  const matches = patternOf(wanted)
  return account.mailboxes
    .filter(mailbox => matches.test(mailbox.name))
    .map(mailbox => {
      const children = account.mailboxes.some(other => other.name.startsWith(`${mailbox.name}/`))
      const attributes = [
        children ? String.raw`\HasChildren` : String.raw`\HasNoChildren`,
        ...mailbox.attributes,
      ]
      return `* ${command} (${attributes.join(' ')}) "/" ${nstring(mailbox.name)}`
    })
}

function patternOf(text: string): RegExp {
  const source = text
    .replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll(/\*+/g, '.*')
    .replaceAll('%', '[^/]*')
  return new RegExp(`^${source}$`, 'i')
}

/** The line of a STATUS answer (section 6.3.10). */
export function status(account: Account, [name, items]: readonly Token[]): string {
  const mailbox = account.get(word(name))
  if (!mailbox) throw no('[NONEXISTENT] No such mailbox')
  const values: Readonly<Record<string, number>> = {
    MESSAGES: mailbox.messages.length,
    UIDNEXT: mailbox.uidNext,
    UIDVALIDITY: mailbox.uidValidity,
    UNSEEN: mailbox.messages.filter(message => !message.flags.has(String.raw`\Seen`)).length,
    RECENT: 0,
  }
  const told = words(items).map(item => `${item.toUpperCase()} ${values[item.toUpperCase()] ?? 0}`)
  return `* STATUS ${nstring(mailbox.name)} (${told.join(' ')})`
}
