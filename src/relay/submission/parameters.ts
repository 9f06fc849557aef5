import type { Notify } from '../../mail/envelope.ts'
import type { Reply } from '../../mail/reply.ts'
import { decodeXtext, parseOrcpt } from '../../mail/xtext.ts'
import { reply } from './replies.ts'

/** Parameters of MAIL that we understand. */
export interface MailParameters {
  readonly size?: number
  readonly smtputf8: boolean
  readonly ret?: 'full' | 'headers'
  /** Still in xtext. */
  readonly envid?: string
}

export interface RcptParameters {
  readonly notify?: readonly Notify[]
  /** Still in xtext. */
  readonly orcpt?: string
}

type Parsed<T> =
  | { readonly kind: 'parameters'; readonly value: T }
  | { readonly kind: 'refused'; readonly reply: Reply }

type Values = ReadonlyMap<string, string | undefined>

// RFC 5321 section 4.1.2, esmtp-keyword and esmtp-value; RFC 6531 section 3.3 widens the value.
const PARAMETER = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([^\u0000-\u0020=\u007f]+))?$/

/** Reads the parameters of MAIL: SIZE, BODY, SMTPUTF8, AUTH, RET, ENVID. */
export function parseMailParameters(
  words: readonly string[],
  limits: { readonly messageBytes: number },
): Parsed<MailParameters> {
  const values = keywords(words, ['SIZE', 'BODY', 'SMTPUTF8', 'AUTH', 'RET', 'ENVID'])
  if (values.kind === 'refused') return values
  const given = values.value

  const size = given.get('SIZE')
  // RFC 1870 section 5: 1*20DIGIT.
  if (given.has('SIZE') && !/^\d{1,20}$/.test(size ?? '')) return malformed('SIZE')
  if (size !== undefined && Number(size) > limits.messageBytes) {
    // RFC 1870 section 6.1
    return refused(552, '5.3.4', `Message too big, at most ${limits.messageBytes} octets`)
  }
  const body = given.get('BODY')?.toUpperCase()
  if (given.has('BODY') && body !== '7BIT' && body !== '8BITMIME') {
    return refused(555, '5.5.4', 'BODY must be 7BIT or 8BITMIME')
  }
  if (given.has('SMTPUTF8') && given.get('SMTPUTF8') !== undefined) return malformed('SMTPUTF8')
  // RFC 4954 section 5: understood, and never trusted.
  if (given.has('AUTH') && decoded(given.get('AUTH')) === undefined) return malformed('AUTH')
  const ret = given.get('RET')?.toUpperCase()
  if (given.has('RET') && ret !== 'FULL' && ret !== 'HDRS') return malformed('RET')
  const envid = given.get('ENVID')
  // RFC 3461 section 4.4 (printable once decoded) and 5.4 (100 characters).
  if (given.has('ENVID') && (!isPrintable(decoded(envid)) || (envid ?? '').length > 100)) {
    return malformed('ENVID')
  }
  return {
    kind: 'parameters',
    value: {
      smtputf8: given.has('SMTPUTF8'),
      ...(size === undefined ? {} : { size: Number(size) }),
      ...(ret === undefined ? {} : { ret: ret === 'FULL' ? 'full' : 'headers' }),
      ...(envid === undefined ? {} : { envid }),
    },
  }
}

/** Reads the parameters of RCPT: NOTIFY and ORCPT (RFC 3461 sections 4.1 and 4.2). */
export function parseRcptParameters(words: readonly string[]): Parsed<RcptParameters> {
  const values = keywords(words, ['NOTIFY', 'ORCPT'])
  if (values.kind === 'refused') return values
  const given = values.value
  const notify = given.has('NOTIFY') ? parseNotify(given.get('NOTIFY') ?? '') : undefined
  if (given.has('NOTIFY') && notify === undefined) return malformed('NOTIFY')
  const orcpt = given.get('ORCPT')
  if (given.has('ORCPT') && !isPrintable(parseOrcpt(orcpt ?? '')?.address))
    return malformed('ORCPT')
  return {
    kind: 'parameters',
    value: {
      ...(notify === undefined ? {} : { notify }),
      ...(orcpt === undefined ? {} : { orcpt }),
    },
  }
}

function parseNotify(text: string): readonly Notify[] | undefined {
  const words = text.toLowerCase().split(',')
  // RFC 3461 section 4.1: NEVER stands alone.
  if (words.length === 1 && words[0] === 'never') return []
  const known = words.filter(word => word === 'success' || word === 'failure' || word === 'delay')
  return known.length === words.length ? [...new Set(known)] : undefined
}

/** RFC 5321 section 4.1.1.11: 555 for what we do not know. RFC 3461 section 5.1: 501 for what comes twice. */
function keywords(words: readonly string[], known: readonly string[]): Parsed<Values> {
  const values = new Map<string, string | undefined>()
  for (const word of words) {
    const match = PARAMETER.exec(word)
    if (match?.[1] === undefined) return refused(501, '5.5.4', 'Malformed parameter')
    const name = match[1].toUpperCase()
    if (!known.includes(name)) return refused(555, '5.5.4', 'Unknown parameter')
    if (values.has(name)) return refused(501, '5.5.4', `${name} given twice`)
    values.set(name, match[2])
  }
  return { kind: 'parameters', value: values }
}

function decoded(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : decodeXtext(value)
}

function isPrintable(text: string | undefined): boolean {
  return text !== undefined && text !== '' && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text)
}

function malformed(name: string): Parsed<never> {
  return refused(501, '5.5.4', `Malformed ${name}`)
}

function refused(code: number, enhanced: string, text: string): Parsed<never> {
  return { kind: 'refused', reply: reply(code, enhanced, text) }
}
