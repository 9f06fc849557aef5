import { describe, expect, it } from 'vitest'

import { createTrace, fateOf } from '../../src/observe/trace.ts'
import type { MessageRecord } from '../../src/relay/queue/store.ts'

function recordWith(
  recipient: Partial<MessageRecord['recipients'][number]>,
  timeline: MessageRecord['timeline'] = [],
): MessageRecord {
  return {
    message: {
      id: '01HZXAMP0E000001',
      login: 'alice',
      acceptedAt: 1_000,
      messageId: '',
      size: 10,
      envelope: { reversePath: '', recipients: [], eightBit: false, smtputf8: false },
    },
    recipients: [
      {
        address: 'seed@Example.NET',
        state: 'queued',
        dueAt: 0,
        attempts: 0,
        lastReply: '',
        lastHost: '',
        ...recipient,
      },
    ],
    timeline,
  }
}

const entry = { domain: 'example.net', host: 'mx.example.net', reply: '', tls: '', note: '' }

describe('the trace of a message', () => {
  it('says how often a queued message was tried, and what was said last', () => {
    const record = recordWith({ attempts: 2, lastReply: '421 4.7.0 later', lastHost: 'mx' })
    expect(fateOf(record, 0)).toEqual({
      kind: 'queued',
      attempts: 2,
      host: 'mx',
      lastReply: { code: 421, enhanced: '4.7.0', text: 'later' },
    })
  })

  it('has no reply for a message that was not tried yet', () => {
    expect(fateOf(recordWith({}), 0)).toEqual({ kind: 'queued', attempts: 0, host: '' })
  })

  it('takes held mail for queued: nobody has given it up', () => {
    expect(fateOf(recordWith({ state: 'held' }), 0)).toMatchObject({ kind: 'queued' })
  })

  it('says when the provider took it, and with which words', () => {
    const record = recordWith({ state: 'delivered', lastReply: '250 2.0.0 OK', lastHost: 'mx' }, [
      { ...entry, at: 2_000, kind: 'deferred' },
      { ...entry, at: 3_000, kind: 'delivered', tls: 'TLSv1.3' },
      { ...entry, at: 4_000, kind: 'delivered', domain: 'example.org' },
    ])
    expect(fateOf(record, 0)).toEqual({
      kind: 'delivered',
      at: 3_000,
      reply: { code: 250, enhanced: '2.0.0', text: 'OK' },
      host: 'mx',
      tls: 'TLSv1.3',
      deferrals: {
        count: 1,
        since: 2_000,
        greylisted: false,
        reply: { code: 0, enhanced: '', text: '' },
      },
    })
  })

  it('keeps the words of an outcome that no server spoke', () => {
    const record = recordWith({ state: 'bounced', lastReply: 'no such domain' })
    expect(fateOf(record, 0)).toEqual({
      kind: 'bounced',
      at: 1_000,
      reply: { code: 0, enhanced: '', text: 'no such domain' },
      host: '',
    })
  })

  it('says when an operator removed it', () => {
    const record = recordWith({ state: 'removed' }, [{ ...entry, at: 9_000, kind: 'operator' }])
    expect(fateOf(record, 0)).toEqual({ kind: 'removed', at: 9_000 })
  })

  it('says that it could not ask, which is not that there is no such message', async () => {
    const trace = createTrace(() => Promise.reject(new Error('away')))
    await expect(trace.fate('01HZXAMP0E000001')).rejects.toThrow('away')
    expect(await createTrace(async () => undefined).fate('x')).toBeUndefined()
  })

  it('tells of the attempts that were told to come again, and of greylisting among them', () => {
    const again = { ...entry, kind: 'deferred' } as const
    const record = recordWith({ attempts: 3, lastReply: '451 4.3.0 busy', lastHost: 'mx' }, [
      { ...again, at: 2_000, reply: '450 4.2.0 <x>: Recipient address rejected: Greylisted' },
      { ...again, at: 2_500, host: '', reply: 'no host answers' },
      { ...again, at: 3_000, reply: '451 4.3.0 busy' },
      { ...again, at: 4_000, domain: 'example.org', reply: '421 later' },
    ])
    expect(fateOf(record, 0)).toMatchObject({
      deferrals: {
        count: 2,
        since: 2_000,
        greylisted: true,
        reply: { code: 451, enhanced: '4.3.0', text: 'busy' },
      },
    })
  })
})
