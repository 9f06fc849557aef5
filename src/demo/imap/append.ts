import type { Clock } from '../../base/clock.ts'
import type { Account } from './account.ts'
import { no } from './refusal.ts'
import { word, type Token } from './tokenizer.ts'
import { parseDate } from './wire.ts'

/** APPEND (RFC 3501 section 6.3.11): a folder, flags and date where given, a message. */
export function append(account: Account, args: readonly Token[], clock: Clock): string {
  const mailbox = account.get(word(args[0]))
  if (!mailbox) throw no('[TRYCREATE] No such mailbox')
  const flags = args.find(argument => typeof argument === 'object') ?? []
  const texts = args.slice(1).filter(argument => typeof argument === 'string')
  const date = texts.length > 1 ? parseDate(texts[0] ?? '') : Number.NaN
  const { uid } = mailbox.append({
    raw: Buffer.from(word(args.at(-1)), 'latin1'),
    flags: flags.filter(flag => typeof flag === 'string'),
    internalDate: Number.isNaN(date) ? clock() : date,
  })
  return `OK [APPENDUID ${mailbox.uidValidity} ${uid}] completed`
}
