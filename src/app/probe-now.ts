import { PassThrough, type Readable } from 'node:stream'

import { messageOf, Problem } from '../base/problem.ts'
import { formatReply } from '../mail/reply.ts'
import type { ProbeStage } from '../probe/followers.ts'
import { labelOf, type Verdict, type VerdictLabel } from '../probe/model.ts'
import { type Deferrals, deferralWords } from '../probe/trace.ts'
import type { Probing } from './probing.ts'

/** One thing that happened to a canary that somebody is waiting for. */
export interface ProbeNews {
  readonly probe: string
  /** Milliseconds since the epoch. */
  readonly at: number
  /** For a person. */
  readonly text: string
  /** With the last news of a probe. */
  readonly verdict?: VerdictLabel
}

/**
 * Sends one canary for every probe that is meant, and tells what happens as it happens.
 *
 * @param name of a probe (`relay/gmail-1`), of a group (`everyone`), or `all`
 * @returns the news, which nobody has to read (`resume`)
 * @throws Problem if nothing has this name
 */
export function probeNow(
  probing: Probing,
  name: string,
  clock: () => number,
): Readable & AsyncIterable<ProbeNews> {
  const names = chosenProbes(probing, name)
  const news = new PassThrough({ objectMode: true })
  const gone = new AbortController()
  news.once('close', () => gone.abort(new Error('nobody listens any more')))
  const runs = names.map(async probe => {
    // A mailbox is looked at many times: the same words twice are no news.
    const told = new Set<string>()
    const tell = (text: string, verdict?: VerdictLabel): void => {
      if (told.has(text) && verdict === undefined) return
      told.add(text)
      if (!news.destroyed) news.write({ probe, at: clock(), text, ...(verdict && { verdict }) })
    }
    try {
      await probing.prober.runOnce(probe, {
        signal: gone.signal,
        onStage: stage => tell(sentenceOf(stage), verdictOf(stage)),
      })
    } catch (error) {
      tell(messageOf(error), 'unknown')
    }
  })
  void Promise.all(runs).then(() => news.end())
  return news
}

/**
 * @param name of a probe, of a group, or `all`
 * @throws Problem if nothing has this name
 */
export function chosenProbes({ groups }: Pick<Probing, 'groups'>, name: string): readonly string[] {
  const all = [...groups.values()].flat()
  if (name === 'all') return all
  const names = groups.get(name) ?? all.filter(probe => probe === name)
  if (names.length > 0) return names
  throw new Problem(
    `there is no probe ${name}: there are the groups ${[...groups.keys()].join(', ')}, and the probes ${all.join(', ')}`,
  )
}

function verdictOf(stage: ProbeStage): VerdictLabel | undefined {
  return stage.kind === 'verdict' && stage.record.verdict
    ? labelOf(stage.record.verdict)
    : undefined
}

function sentenceOf(stage: ProbeStage): string {
  switch (stage.kind) {
    case 'begun':
      return `submitting to ${stage.canary.origin}`
    case 'submitted':
      return `accepted by the origin${stage.queueId === '' ? '' : ` as ${stage.queueId}`}`
    case 'fate':
      switch (stage.fate.kind) {
        case 'queued': {
          const { attempts, lastReply } = stage.fate
          const reply = lastReply ? `: ${formatReply(lastReply)}` : ''
          return `in the relay's queue after ${attempts} attempt${attempts === 1 ? '' : 's'}${reply}`
        }
        case 'delivered':
          return `taken by ${stage.fate.host}: ${formatReply(stage.fate.reply)}`
        case 'bounced':
          return `refused by ${stage.fate.host || 'the relay'}: ${formatReply(stage.fate.reply)}`
        case 'removed':
          return 'removed from the queue by an operator'
      }
      break
    case 'look':
      return stage.look.complete
        ? 'looked into the mailbox: not there yet'
        : `could not look into the mailbox: ${stage.look.detail}`
    case 'verdict':
      return stage.record.verdict ? verdictSentence(stage.record.verdict) : 'undecided'
  }
}

function verdictSentence(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'arrived': {
      const { spf, dkim, dmarc } = verdict.auth
      const where = verdict.placement === 'other' ? 'another folder' : verdict.placement
      const { tls: by } = verdict
      const tls = by === undefined ? '' : `, ${by === 'yes' ? 'TLS' : by || 'no word of TLS'}`
      const checks = `spf ${spf}, dkim ${dkim}, dmarc ${dmarc}${tls}`
      return `arrived in ${where} after ${verdict.seconds.toFixed(1)} s (${checks})${said(verdict.deferrals)}`
    }
    case 'missing':
      return `missing: not seen until the deadline, last stage ${verdict.stage}${said(verdict.deferrals)}`
    case 'bounced':
      return `bounced at ${verdict.stage}: ${formatReply(verdict.reply)}`
    case 'rejected':
      return `rejected by the origin (${verdict.cause})${verdict.reply ? `: ${formatReply(verdict.reply)}` : ''}`
    case 'unknown':
      return `unknown: we could not see (${verdict.reason})`
  }
}

function said(deferrals: Deferrals | undefined): string {
  return deferrals === undefined ? '' : `; ${deferralWords(deferrals)}`
}
