import type { Reply } from '../mail/reply.ts'
import type { Blindness } from './model.ts'

const FULL = /mailbox (?:is )?full|over ?quota|quota exceeded|out of storage|insufficient storage/i
const LOCKED =
  /(?:account|mailbox|inbox|user|recipient)[^.;]{0,40}\b(?:disabled|inactive|suspended|locked|deactivated)\b/i
const GONE =
  /no such (?:user|mailbox|recipient)|(?:user|recipient|mailbox) (?:unknown|not found)|(?:user|account|mailbox|recipient)(?: that you tried to reach)? does(?: not|n.t) exist|doesn.t have a \S+ account/i

/**
 * What is wrong with the account of the seed, where that is why mail for it was refused: nobody has tidied it, it was
 * locked or receives too much, or there is no such account. It says nothing of how the provider takes our mail.
 *
 * RFC 3463 sections 3.2 and 3.3: X.2.2, X.2.1, X.1.1; the whole code decides where there is one, since a reply with
 * another (`5.3.4 too big, quota exceeded`) means that one.
 */
export function seedFaultOf(reply: Reply): Blindness | undefined {
  if (reply.code < 400) return undefined
  switch (reply.enhanced.slice(1)) {
    case '.2.2':
      return 'seed-full'
    case '.2.1':
      return 'seed-locked'
    case '.1.1':
    case '.1.10':
      return 'seed-gone'
    case '':
      break
    default:
      return undefined
  }
  if ([422, 450, 452, 550, 552, 554].includes(reply.code)) {
    if (FULL.test(reply.text)) return 'seed-full'
    if (LOCKED.test(reply.text)) return 'seed-locked'
    if (GONE.test(reply.text)) return 'seed-gone'
  }
  return undefined
}
