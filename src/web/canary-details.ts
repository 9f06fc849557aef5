import { parseHeader } from '../mail/headers.ts'
import { receivedChain } from '../mail/received-chain.ts'
import { formatReply } from '../mail/reply.ts'
import type { CanaryRecord } from '../probe/history.ts'
import type { Sighting } from '../probe/model.ts'
import type { MessageFate } from '../probe/trace.ts'
import type { MessageRecord } from '../relay/queue/store.ts'
import type { CanaryDetails, CanaryHop } from './browser/status-data.ts'
import { summaryOf } from './canary-summary.ts'

const CUT = '[token cut]'

/** Everything of a canary but its token, which would let anybody forge its arrival. */
export function detailsOf(
  record: CanaryRecord,
  message: MessageRecord | undefined,
  elsewhere: MessageFate | undefined,
): CanaryDetails {
  const { canary, decidedAt, lateAt, sightings } = record
  const { probe, content, scheduledAt, submittedAt, deadlineAt } = canary
  return {
    summary: summaryOf(record),
    canary: { probe, content, scheduledAt, submittedAt, deadlineAt },
    decidedAt,
    lateAt,
    ...(record.report && {
      report: { ...record.report, reply: formatReply(record.report.reply) },
    }),
    sightings: sightings.map(sighting => seenOf(sighting, canary.token)),
    timeline: message?.timeline ?? [],
    ...(elsewhere && 'at' in elsewhere && { elsewhere: toldOf(elsewhere) }),
  }
}

function toldOf(
  fate: Extract<MessageFate, { readonly at: number }>,
): NonNullable<CanaryDetails['elsewhere']> {
  const { at, kind } = fate
  return {
    at,
    kind,
    host: kind === 'removed' ? '' : fate.host,
    reply: kind === 'removed' ? '' : formatReply(fate.reply),
    tls: kind === 'delivered' ? (fate.tls ?? '') : '',
  }
}

function seenOf(sighting: Sighting, token: string): CanaryDetails['sightings'][number] {
  const { folder, placement, tab, arrivedAt, arrivalSource, seenAt, auth, tls } = sighting
  const header = withoutToken(sighting.header, token)
  return {
    folder,
    placement,
    ...(tab !== undefined && { tab }),
    ...(tls !== undefined && { tls }),
    arrivedAt,
    arrivalSource,
    seenAt,
    auth,
    hops: hopsOf(header),
    header,
  }
}

/** In whatever case: hosts that change that of a Message-ID leave the token valid. */
function withoutToken(text: string, token: string): string {
  if (token === '') return text
  const literal = token.replaceAll(/[^0-9A-Za-z]/g, String.raw`\$&`)
  return text.replaceAll(new RegExp(literal, 'gi'), CUT)
}

function hopsOf(header: string): readonly CanaryHop[] {
  return receivedChain(parseHeader(Buffer.from(header))).map(
    ({ from, by, protocol, tls, at, delay }) => ({
      from,
      by,
      protocol,
      tls,
      ...(at !== undefined && { at }),
      ...(delay !== undefined && { delay }),
    }),
  )
}
