import { formatAddress, isAscii, parseAddress } from '../mail/address.ts'
import { valuesOf, type HeaderField } from '../mail/headers.ts'
import { readMailboxList } from '../mail/mailbox-list.ts'
import { printable } from '../mail/reply.ts'
import type { SendmailOptions } from './sendmail-options.ts'
import { EX, Exit } from './sysexits.ts'

// `undisclosed-recipients:;` names nobody, and that is what it is for.
const NOBODY = /^(?:[^:;<>@,]*:\s*;)?$/

/**
 * Who a message is for: those on the command line, and with -t those of To, Cc and Bcc, or of the same fields with Resent-
 * where there are any (RFC 5322 section 3.6.6).
 *
 * @throws Exit with `usage` for nobody, `noUser` for what is no address on the command line, `dataErr` for one in the header
 */
export function recipientsOf(
  options: SendmailOptions,
  fields: readonly HeaderField[],
): readonly string[] {
  const found = new Set<string>()
  for (const text of options.recipients) {
    const list = readMailboxList(text)
    if (!list.ok) throw new Exit(EX.noUser, `${printable(text)}: no address (${list.problem})`)
    for (const mailbox of list.mailboxes) found.add(mailbox)
  }
  if (options.recipientsFromHeader) {
    const names = ['to', 'cc', 'bcc']
    const resent = names.map(name => `resent-${name}`)
    const chosen = fields.some(({ name }) => resent.includes(name)) ? resent : names
    for (const name of chosen) {
      for (const value of valuesOf(fields, name)) {
        if (NOBODY.test(value)) continue
        const list = readMailboxList(value)
        if (!list.ok) {
          throw new Exit(EX.dataErr, `the field ${name} cannot be read: ${list.problem}`)
        }
        for (const mailbox of list.mailboxes) found.add(mailbox)
      }
    }
  }
  if (found.size === 0) {
    const where = options.recipientsFromHeader
      ? ' and none in the header'
      : '; -t takes those of the header'
    throw new Exit(EX.usage, `no recipient on the command line${where}`)
  }
  return [...found]
}

/**
 * Who sends: -f, else Sender, else a From that names one.
 *
 * @param login whose address is asked for otherwise, and may stand in -f without its domain
 * @returns undefined for the login's own address, '' for nobody
 * @throws Exit with `usage` where -f is no address
 */
export function senderOf(
  { sender }: SendmailOptions,
  fields: readonly HeaderField[],
  login: string,
): string | undefined {
  if (sender !== undefined) {
    if (sender === '') return ''
    if (sender.toLowerCase() === login) return undefined
    const address = parseAddress(sender)
    if (address !== undefined && address.domain !== '') return formatAddress(address)
    throw new Exit(EX.usage, `-f ${printable(sender)}: no address`)
  }
  for (const name of ['sender', 'from']) {
    const [value, ...more] = valuesOf(fields, name)
    const list = value === undefined || more.length > 0 ? undefined : readMailboxList(value)
    if (list?.ok === true && list.mailboxes.length === 1) return list.mailboxes[0]
  }
  return undefined
}

/** The field From for a message that has none (RFC 6409 section 8.1 asks for it). */
export function fromField(address: string, fullName: string | undefined): string {
  const name = printable(fullName ?? '')
  if (name === '') return `From: ${address}\r\n`
  // RFC 5322 section 3.2.4, or RFC 2047 section 5 for what is not ASCII; a word of that has at most 75 characters.
  if (isAscii(name)) return `From: "${name.replaceAll(/["\\]/g, String.raw`\$&`)}" <${address}>\r\n`
  const words: string[] = []
  let part = ''
  for (const character of name) {
    if (Buffer.byteLength(part + character) > 45) {
      words.push(part)
      part = ''
    }
    part += character
  }
  const encoded = [...words, part].map(
    word => `=?utf-8?B?${Buffer.from(word).toString('base64')}?=`,
  )
  return `From: ${encoded.join('\r\n ')} <${address}>\r\n`
}
