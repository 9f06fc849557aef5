import { domainOf } from '../mail/envelope.ts'
import { fieldOf } from './imap/header.ts'

/** Who handed the message over, and what the provider thinks of that host. */
export interface Client {
  /** As it called itself in EHLO. */
  readonly name: string
  readonly address: string
  /** `TLSv1.3`, or '' for clear text. */
  readonly tls: string
  /** Whether the SPF record of the organisation names it. */
  readonly permitted: boolean
}

export interface DeliveryFacts {
  readonly client: Client
  readonly reversePath: string
  readonly recipient: string
  readonly raw: Buffer
  /** Name of the receiving host. */
  readonly host: string
  /** The provider's name of the message. */
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly receivedAt: number
  readonly spam: boolean
}

/** Writes what a provider puts above a message; lines end in CRLF. */
export type HeaderWriter = (facts: DeliveryFacts) => string

interface Checks {
  readonly spf: 'pass' | 'softfail' | 'none'
  readonly dkim: 'pass' | 'none'
  readonly dmarc: 'pass' | 'fail' | 'none'
  readonly from: string
  readonly selector: string
}

// Nothing is resolved or verified: a signature counts as good, and SPF is what the world says of the client.
function check(facts: DeliveryFacts): Checks {
  const from = /@([^>\s]+)/.exec(fieldOf(facts.raw, 'from') ?? '')?.[1]?.toLowerCase() ?? ''
  const signature = fieldOf(facts.raw, 'dkim-signature')
  const domain = /\bd=([^;\s]+)/.exec(signature ?? '')?.[1]?.toLowerCase()
  const sender = domainOf(facts.reversePath)
  const spf = sender === '' ? 'none' : facts.client.permitted ? 'pass' : 'softfail'
  const dkim = signature === undefined ? 'none' : 'pass'
  const aligned = (spf === 'pass' && sender === from) || (dkim === 'pass' && domain === from)
  return {
    spf,
    dkim,
    dmarc: from === '' ? 'none' : aligned ? 'pass' : 'fail',
    from,
    selector: /\bs=([^;\s]+)/.exec(signature ?? '')?.[1] ?? 'default',
  }
}

function rfcDate(milliseconds: number): string {
  return new Date(milliseconds).toUTCString().replace('GMT', '+0000')
}

function withProtocol(client: Client): string {
  return client.tls === '' ? 'ESMTP' : 'ESMTPS'
}

export const gmailHeader: HeaderWriter = facts => {
  const { client, reversePath, recipient } = facts
  const checks = check(facts)
  const says = `gmail.example: domain of ${reversePath} ${spfWords(checks.spf)} ${client.address} as permitted sender`
  return [
    `Delivered-To: ${recipient}`,
    `Return-Path: <${reversePath}>`,
    `Received: from ${client.name} (${client.name}. [${client.address}])`,
    `        by mx.gmail.example with ${withProtocol(client)} id ${facts.id}`,
    `        for <${recipient}>;`,
    `        ${rfcDate(facts.receivedAt)}`,
    `Received-SPF: ${checks.spf} (${says}) client-ip=${client.address};`,
    'Authentication-Results: mx.gmail.example;',
    // Gmail says nothing of DKIM where there is no signature.
    ...(checks.dkim === 'pass'
      ? [`       dkim=pass header.i=@${checks.from} header.s=${checks.selector} header.b=lhk5qU4z;`]
      : []),
    `       spf=${checks.spf} (${says}) smtp.mailfrom=${mailFrom(reversePath)};`,
    `       dmarc=${checks.dmarc} (p=NONE sp=NONE dis=NONE) header.from=${checks.from}`,
    '',
  ].join('\r\n')
}

export const hotmailHeader: HeaderWriter = facts => {
  const { client, reversePath } = facts
  const checks = check(facts)
  const signed =
    checks.dkim === 'pass' ? 'dkim=pass (signature was verified)' : 'dkim=none (message not signed)'
  const composite =
    checks.dmarc === 'pass' ? 'compauth=pass reason=100' : 'compauth=fail reason=001'
  return [
    `Received: from ${client.name} (${client.address}) by`,
    ` ${facts.host} (10.167.242.42) with Microsoft SMTP Server`,
    ` (version=TLS1_3, cipher=TLS_AES_256_GCM_SHA384) id ${facts.id}; ${rfcDate(facts.receivedAt)}`,
    `Authentication-Results: spf=${checks.spf} (sender IP is ${client.address})`,
    ` smtp.mailfrom=${domainOf(reversePath)}; ${signed}`,
    ` header.d=${checks.dkim === 'pass' ? checks.from : 'none'};dmarc=${checks.dmarc} action=none`,
    ` header.from=${checks.from};${composite}`,
    `X-Forefront-Antispam-Report: CIP:${client.address};SCL:${facts.spam ? 5 : 1};` +
      `SFV:${facts.spam ? 'SPM' : 'NSPM'};CAT:${facts.spam ? 'SPM' : 'NONE'};`,
    `Return-Path: ${reversePath === '' ? '<>' : reversePath}`,
    '',
  ].join('\r\n')
}

export const yahooHeader: HeaderWriter = facts => {
  const { client, reversePath } = facts
  const checks = check(facts)
  return [
    `X-Apparently-To: ${facts.recipient}; ${rfcDate(facts.receivedAt)}`,
    `Return-Path: <${reversePath}>`,
    'Authentication-Results: atlas206.free.mail.ne1.yahoo.example;',
    checks.dkim === 'pass'
      ? ` dkim=pass header.i=@${checks.from} header.s=${checks.selector};`
      : ' dkim=unknown;',
    ` spf=${checks.spf} smtp.mailfrom=${domainOf(reversePath)};`,
    // As it comes: no space before the bracket, a semicolon at the end.
    ` dmarc=${checks.dmarc}(p=NONE) header.from=${checks.from};`,
    `Received: from ${client.address} (EHLO ${client.name})`,
    ` by ${facts.host} with ${withProtocol(client)}`,
    ' (version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384);',
    ` ${rfcDate(facts.receivedAt)}`,
    '',
  ].join('\r\n')
}

export const plainHeader: HeaderWriter = facts => {
  const { client, reversePath } = facts
  const checks = check(facts)
  return [
    `Return-Path: <${reversePath}>`,
    `Authentication-Results: ${facts.host}; spf=${checks.spf} smtp.mailfrom=${mailFrom(reversePath)};`,
    `\tdkim=${checks.dkim}; dmarc=${checks.dmarc} header.from=${checks.from}`,
    `Received: from ${client.name} (unknown [${client.address}])`,
    `\tby ${facts.host} with ${withProtocol(client)} id ${facts.id}`,
    `\tfor <${facts.recipient}>; ${rfcDate(facts.receivedAt)}`,
    '',
  ].join('\r\n')
}

// Gmail quotes an address that is no plain dot-atom.
function mailFrom(reversePath: string): string {
  return reversePath === '' || /^[\w.+-]+@[\w.-]+$/.test(reversePath)
    ? reversePath
    : `"${reversePath.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}

function spfWords(spf: Checks['spf']): string {
  return spf === 'pass' ? 'designates' : 'does not designate'
}
