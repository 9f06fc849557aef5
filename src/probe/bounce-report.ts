import { type HeaderField, parseHeader, splitMessage, valuesOf } from '../mail/headers.ts'
import { parseReply, type Reply } from '../mail/reply.ts'
import { readReport, type ReportedFate } from '../mail/report-reader.ts'
import { findToken, verifiedIn } from './token.ts'

/** What one message of a bounce mailbox says of one canary. */
export interface FoundBounce {
  /** Of the canary. */
  readonly id: string
  readonly reply: Reply
  readonly host: string
}

/** Whom a message was delivered to, most trusted first: the address of the envelope, as servers write it down. */
const ENVELOPE_FIELDS = ['delivered-to', 'x-original-to', 'envelope-to', 'x-envelope-to', 'to']
const MAX_TEXT = 64 * 1024

/** Whether a message may be a report, by its header alone: only such are read on. */
export function mayBeReport(fields: readonly HeaderField[]): boolean {
  const type = valuesOf(fields, 'content-type')[0] ?? ''
  return (
    /^\s*multipart\/report\b/i.test(type) ||
    valuesOf(fields, 'x-failed-recipients').length > 0 ||
    // RFC 5321 section 4.5.5: reports have the null reverse path.
    /^\s*<>\s*$/.test(valuesOf(fields, 'return-path')[0] ?? '')
  )
}

/**
 * Which canary a report is about, and why it failed. The canary is named by the address the report was sent to, which
 * was the canary's own reverse path (VERP), or by what was returned of it; either has to bear a token of ours.
 *
 * @returns undefined for what is no report of a failure: a delay, a success, somebody's automatic answer
 */
export function readBounce(raw: Uint8Array, key: Uint8Array): FoundBounce | undefined {
  const { header, body } = splitMessage(raw)
  const fields = parseHeader(header)
  const report = readReport(raw)
  const returned = report?.originalHeader && parseHeader(report.originalHeader)
  const found = returned === undefined ? undefined : findToken(returned, key)
  const id =
    verifiedIn(fields, ENVELOPE_FIELDS, key) ?? (found?.kind === 'genuine' ? found.id : undefined)
  if (id === undefined) return undefined
  if (report !== undefined) {
    const failed = report.recipients.find(({ action }) => action === 'failed')
    return failed && { id, reply: replyOf(failed), host: failed.remoteMta }
  }
  const reply = oldReply(fields, body)
  return reply && { id, reply, host: '' }
}

/** The reply that a report quotes, else what its status says (RFC 3464 sections 2.3.4 and 2.3.6). */
function replyOf({ diagnostic, status }: ReportedFate): Reply {
  const quoted = parseReply(diagnostic)
  if (quoted !== undefined) return { ...quoted, enhanced: quoted.enhanced || status }
  return {
    // A report of a failure is final, whatever class its status has: only its time ran out then.
    code: status.startsWith('4') ? 450 : 550,
    enhanced: status,
    text: diagnostic,
  }
}

/** Reports from before RFC 3464, as Exim and qmail still write them. An answer by a person's program is none. */
function oldReply(fields: readonly HeaderField[], body: Buffer): Reply | undefined {
  const text = body.subarray(0, MAX_TEXT).toString('latin1')
  const exim = valuesOf(fields, 'x-failed-recipients').length > 0
  // QSBMF (D. J. Bernstein): the first line of every such report.
  const qmail = /^hi\. this is the/i.test(text)
  if (!exim && !qmail) return undefined
  // Not what stands in the copy of the message.
  const told = text.split(/^-{3}|^-+ ?(?:below|this is a copy)/im)[0] ?? ''
  const line = /\b5\d\d[ -](?:5\.\d{1,3}\.\d{1,3} )?[^\r\n]*/.exec(told)?.[0]
  return (
    (line === undefined ? undefined : parseReply(line)) ?? {
      code: 550,
      enhanced: '',
      text: 'a report without the reply of a server came back',
    }
  )
}
