import { messageIdOf } from './completion.ts'
import { parseHeader, splitMessage, valuesOf, type HeaderField } from './headers.ts'
import { mimeParts } from './mime.ts'

/** What a report of any server says of one recipient. What it does not tell is ''. */
export interface ReportedFate {
  /** Without its type. */
  readonly finalRecipient: string
  /** Lower case: `failed`, `delayed`, `delivered`, `relayed`, `expanded`. */
  readonly action: string
  /** RFC 3463: `5.1.1`. */
  readonly status: string
  /** Without its type: `550 5.1.1 No such user`. */
  readonly diagnostic: string
  readonly remoteMta: string
}

export interface DeliveryReport {
  readonly recipients: readonly ReportedFate[]
  /** ENVID of the original, decoded. */
  readonly originalEnvelopeId?: string
  /** With its angle brackets. */
  readonly originalMessageId?: string
  /** Header section of the original, as far as it was returned. */
  readonly originalHeader?: Buffer
}

const STATUS = /^message\/(?:global-)?delivery-status$/
const ORIGINAL = /^(?:text\/rfc822-headers|message\/(?:rfc822|global|global-headers))$/
const MAX_RECIPIENTS = 1_000

/**
 * Reads a delivery status notification (RFC 3464, RFC 6533), ours or that of any server.
 *
 * @returns undefined if the message is none: no part of it is a delivery status that names a recipient
 */
export function readReport(raw: Uint8Array): DeliveryReport | undefined {
  const parts = mimeParts(raw)
  const status = parts.find(part => STATUS.test(part.type))
  if (status === undefined) return undefined
  const [message, ...groups] = fieldGroups(status.content)
  // Some servers leave out the fields of the message as a whole.
  const all = message?.some(f => f.name === 'final-recipient') ? [message, ...groups] : groups
  const recipients = all
    .filter(fields => fields.some(f => f.name.endsWith('-recipient')))
    .slice(0, MAX_RECIPIENTS)
    .map(readFate)
  if (recipients.length === 0) return undefined
  const envid = valuesOf(message ?? [], 'original-envelope-id')[0]
  const original = parts.find(part => ORIGINAL.test(part.type))
  const header = original === undefined ? undefined : splitMessage(original.content).header
  const id =
    header === undefined ? '' : messageIdOf(valuesOf(parseHeader(header), 'message-id')[0] ?? '')
  return {
    recipients,
    ...(envid === undefined || envid === '' ? {} : { originalEnvelopeId: envid }),
    ...(id === '' ? {} : { originalMessageId: id }),
    ...(header === undefined ? {} : { originalHeader: header }),
  }
}

/** The groups of fields of a delivery status, parted by empty lines (RFC 3464 section 2.1). */
function fieldGroups(content: Buffer): (readonly HeaderField[])[] {
  const groups: (readonly HeaderField[])[] = []
  let rest = content
  while (rest.length > 0 && groups.length <= MAX_RECIPIENTS) {
    const { header, body } = splitMessage(rest)
    if (header.length > 0) groups.push(parseHeader(header))
    rest = body
  }
  return groups
}

function readFate(fields: readonly HeaderField[]): ReportedFate {
  const value = (name: string): string => valuesOf(fields, name)[0] ?? ''
  const recipient = value('final-recipient') || value('original-recipient')
  return {
    finalRecipient: withoutType(recipient).replace(/^<(.*)>$/, '$1'),
    action: /^[a-z]*/.exec(value('action').toLowerCase())?.[0] ?? '',
    status: /\b[245]\.\d{1,3}\.\d{1,3}\b/.exec(value('status'))?.[0] ?? '',
    diagnostic: withoutType(value('diagnostic-code')).replaceAll(/\s+/g, ' '),
    remoteMta: withoutType(value('remote-mta')).toLowerCase(),
  }
}

/** `rfc822; bob@example.net` without its type; not every server writes one. */
function withoutType(value: string): string {
  return value.replace(/^[A-Za-z0-9-]+\s*;/, '').trim()
}
