import { isAscii } from '../../mail/address.ts'
import type { Recipient } from '../../mail/envelope.ts'
import type { Reply } from '../../mail/reply.ts'
import type { Capabilities } from './capabilities.ts'
import type { Consignment } from './transport.ts'

/** MAIL with the parameters that this server offers and this message needs. */
export function mailCommand(mail: Consignment, offered: Capabilities): string {
  const words = [`MAIL FROM:<${mail.reversePath}>`]
  if (offered.has('SIZE')) words.push(`SIZE=${mail.size}`)
  if (mail.eightBit && offered.has('8BITMIME')) words.push('BODY=8BITMIME')
  if (needsSmtputf8(mail)) words.push('SMTPUTF8')
  if (offered.has('DSN')) {
    if (mail.ret !== undefined) words.push(mail.ret === 'full' ? 'RET=FULL' : 'RET=HDRS')
    if (mail.envid !== undefined) words.push(`ENVID=${mail.envid}`)
  }
  return words.join(' ')
}

/** RCPT with this recipient's own DSN parameters, unchanged, none invented (RFC 3461 section 5.2.1). */
export function rcptCommand(recipient: Recipient, offered: Capabilities): string {
  const words = [`RCPT TO:<${recipient.address}>`]
  if (offered.has('DSN')) {
    const { notify, orcpt } = recipient
    if (notify)
      words.push(`NOTIFY=${notify.length === 0 ? 'NEVER' : notify.join(',').toUpperCase()}`)
    if (orcpt !== undefined) words.push(`ORCPT=${orcpt}`)
  }
  return words.join(' ')
}

/**
 * Why this server cannot carry the message, or undefined. Nothing is ever converted on the way: that would break
 * signatures, and change what the author wrote.
 */
export function obstacle(mail: Consignment, offered: Capabilities): Reply | undefined {
  // RFC 6531 section 3.2: MUST NOT send it to a server that does not offer SMTPUTF8.
  if (needsSmtputf8(mail) && !offered.has('SMTPUTF8')) {
    return refusal('5.6.7', 'The server does not take internationalised mail (SMTPUTF8)')
  }
  // RFC 6152 section 3.
  if (mail.eightBit && !offered.has('8BITMIME')) {
    return refusal('5.6.3', 'The server does not take 8-bit content (8BITMIME)')
  }
  const limit = offered.sizeLimit
  if (limit !== undefined && mail.size > limit) {
    const text = `The message has ${mail.size} octets, the server takes ${limit}`
    return refusal('5.3.4', text)
  }
  return undefined
}

/** Why a recipient can never be written into a command, or undefined. Guards the dialogue, not the address. */
export function unspeakable(mail: Consignment, recipient: Recipient): Reply | undefined {
  const parameters = [mail.envid, recipient.orcpt].filter(value => value !== undefined)
  // One of these in a command would be a second command, or a parameter nobody asked for.
  if (/[\u0000-\u001f\u007f]/.test(mail.reversePath + recipient.address)) {
    return refusal('5.1.3', 'The address holds control characters')
  }
  if (/[<>]/.test(unquoted(recipient.address))) {
    return refusal('5.1.3', 'The address holds angle brackets')
  }
  if (/[<>]/.test(unquoted(mail.reversePath))) {
    return refusal('5.1.7', 'The reverse path holds angle brackets')
  }
  if (parameters.some(value => !/^[!-~]+$/.test(value))) {
    return refusal('5.5.4', 'ENVID or ORCPT is no xtext')
  }
  return undefined
}

/** Whether any command of the message needs RFC 6531, by what it says rather than by what was declared. */
function needsSmtputf8(mail: Consignment): boolean {
  return (
    mail.smtputf8 ||
    !isAscii(mail.reversePath) ||
    mail.recipients.some(recipient => !isAscii(recipient.address))
  )
}

function unquoted(address: string): string {
  return address.replaceAll(/"(?:[^"\\]|\\.)*"/g, '')
}

/** Words of our own: code 0, since no server has said them. */
function refusal(enhanced: string, text: string): Reply {
  return { code: 0, enhanced, text }
}
