import type { MessageRecord } from '../app/queue-control.ts'
import { formatDuration } from '../base/duration.ts'
import { printable } from '../mail/reply.ts'
import { amount, table } from './table.ts'
import { ago, dateTime, whenNext } from './times.ts'

type Entry = MessageRecord['timeline'][number]
type RecipientRecord = MessageRecord['recipients'][number]

/** Everything of one message but its content: envelope, recipients, life. */
export function messageLines(record: MessageRecord, now: number): readonly string[] {
  const { acceptedAt, envelope, id, login, messageId, size } = record.message
  const asked = [
    envelope.ret === undefined ? '' : `RET=${envelope.ret}`,
    envelope.envid === undefined ? '' : `ENVID=${envelope.envid}`,
    envelope.smtputf8 ? 'SMTPUTF8' : '',
    envelope.eightBit ? 'BODY=8BITMIME' : '',
  ].filter(word => word !== '')
  return [
    ...table([
      ['queue id', id],
      ['Message-ID', messageId === '' ? 'none' : messageId],
      ['accepted', `${dateTime(acceptedAt)} (${ago(acceptedAt, now)})`],
      ['from', sender(record)],
      ['login', login === '' ? 'none: a report of our own' : login],
      ['size', amount(size, 'octet')],
      ...(asked.length > 0 ? [['asked for', asked.join(' ')]] : []),
    ]),
    '',
    ...lifeLines(record, now),
  ]
}

/** The life of a message: what happened when, and how each recipient stands now. */
export function lifeLines(record: MessageRecord, now: number): readonly string[] {
  const { acceptedAt } = record.message
  return [
    ...table(
      record.timeline.map(entry => [
        dateTime(entry.at),
        `+${formatDuration(Math.max(0, entry.at - acceptedAt))}`,
        eventOf(entry, record),
      ]),
    ),
    '',
    ...table(record.recipients.map(recipient => [recipient.address, ...standing(recipient, now)])),
  ]
}

function eventOf(entry: Entry, record: MessageRecord): string {
  const to = [recipientsOf(entry, record), entry.domain].find(text => text !== '') ?? ''
  switch (entry.kind) {
    case 'accepted': {
      const { login, size } = record.message
      const by =
        login === ''
          ? 'made by the relay itself'
          : `accepted from ${sender(record)}, login ${login}`
      const what = `${amount(size, 'octet')} for ${amount(record.recipients.length, 'recipient')}`
      return [`${by}: ${what}`, entry.note].filter(text => text !== '').join('; ')
    }
    case 'delivered':
      return `${to}: taken by ${hostOf(entry)}: ${entry.reply}`
    case 'deferred':
      return entry.host === ''
        ? `${to}: could not be tried: ${entry.reply}`
        : `${to}: not now, at ${hostOf(entry)}: ${entry.reply}`
    case 'bounced': {
      // Time ran out: the last word was no refusal.
      if (entry.note.startsWith('given up')) return `${to}: given up; the last word: ${entry.reply}`
      return `${to}: refused${entry.host === '' ? '' : ` by ${hostOf(entry)}`}: ${entry.reply}`
    }
    case 'report':
      return entry.note.replace(/^report (\S+) queued$/, 'the sender is told, by report $1')
    case 'operator':
      return entry.domain === '' ? entry.note : `${entry.domain}: ${entry.note}`
  }
}

function hostOf({ host, tls }: Entry): string {
  return tls === '' ? `${host} in clear text` : `${host} over ${tls}`
}

/** Whom an attempt was about, where that is not everybody at its domain. */
function recipientsOf(entry: Entry, { recipients }: MessageRecord): string {
  return (entry.recipients ?? [])
    .map(index => recipients[index]?.address ?? '')
    .map(printable)
    .join(', ')
}

/** State, and what is to be known of it. */
function standing(recipient: RecipientRecord, now: number): readonly string[] {
  const { active, attempts, dueAt, kept = '', lastHost, lastReply, state } = recipient
  const tries = amount(attempts, 'attempt')
  const said = lastReply === '' ? '' : `${lastHost === '' ? '' : `${lastHost}: `}${lastReply}`
  const about = {
    queued: active === true ? 'an attempt is running' : `next attempt ${whenNext(dueAt, now)}`,
    held: kept,
    delivered: '',
    bounced: '',
    removed: 'by an operator',
  }[state]
  const detail = [about, tries, said].filter(text => text !== '').join('; ')
  return [active === true ? 'active' : state, detail]
}

function sender({ message }: MessageRecord): string {
  const { reversePath } = message.envelope
  return reversePath === '' ? '<> (the null reverse path)' : reversePath
}
