import { describe, expect, test } from 'vitest'

import type { MessageRecord, QueueAnswer } from '../../src/app/queue-control.ts'
import { lifeLines } from '../../src/cli/message-view.ts'
import { operatorName } from '../../src/cli/operator.ts'
import { ActedTally } from '../../src/cli/queue-acted.ts'
import { listLines } from '../../src/cli/queue-list.ts'
import {
  messageName,
  queueOf,
  requireMeant,
  selectionOf,
  targetOf,
} from '../../src/cli/queue-selection.ts'
import { siteLine } from '../../src/cli/site-words.ts'
import { table } from '../../src/cli/table.ts'
import { whenNext } from '../../src/cli/times.ts'
import { readQueueRequest } from '../../src/web/queue-request.ts'

const T0 = new Date(2026, 0, 5, 8, 0, 0).getTime()

describe('who asks', () => {
  const root = { name: 'root', uid: 0 }

  test('is the owner of the process, and before it whom sudo names', () => {
    expect(operatorName({}, root)).toBe('root (uid 0)')
    expect(operatorName({ SUDO_USER: 'anna', SUDO_UID: '1000' }, root)).toBe(
      'anna (uid 1000) as root (uid 0)',
    )
    expect(operatorName({ SUDO_USER: 'root', SUDO_UID: '0' }, root)).toBe('root (uid 0)')
  })

  test('is not what somebody writes into a variable to confuse the record', () => {
    expect(operatorName({ SUDO_USER: 'a\n2026 b', SUDO_UID: '1' }, root)).toBe('root (uid 0)')
    expect(operatorName({ SUDO_USER: 'anna', SUDO_UID: 'x)' }, root)).toBe('anna as root (uid 0)')
  })
})

describe('what is meant', () => {
  test('--state is a folder unless it is the word of a state', () => {
    const options = { state: ['/var/lib/x', 'held'] }
    expect(queueOf(options)).toEqual({ state: '/var/lib/x' })
    expect(selectionOf([], options)).toEqual({ state: 'held' })
    expect(() => queueOf({ state: ['hled', '/x'] })).toThrow(/several folders/)
  })

  test('a hold stands if one destination, one login or everything is named, and nothing else', () => {
    expect(targetOf([], { destination: 'example.net' })).toEqual({
      kind: 'destination',
      value: 'example.net',
    })
    expect(targetOf([], { login: 'alice' })).toEqual({ kind: 'login', value: 'alice' })
    expect(targetOf([], { everything: true })).toEqual({ kind: 'everything', value: '' })
    for (const options of [
      { login: 'alice', all: true },
      { login: 'alice', destination: 'example.net' },
      { login: 'alice', olderThan: 1 },
      { provider: 'gmail' },
      { all: true },
    ]) {
      expect(targetOf([], options)).toBeUndefined()
    }
    expect(() => targetOf([], { everything: true, login: 'alice' })).toThrow(/alone/)
    expect(() => targetOf(['1'.repeat(16)], { everything: true })).toThrow(/alone/)
  })

  test('nothing is never everything', () => {
    expect(() => requireMeant([], {})).toThrow(/--all/)
    expect(requireMeant([], { all: true })).toEqual({ all: true })
    expect(() => requireMeant(['1'.repeat(16)], { all: true })).toThrow(/not both/)
  })

  test('an id may be in small letters, a Message-ID without its brackets', () => {
    expect(messageName('1hq7z6v3kab2cdef')).toBe('1HQ7Z6V3KAB2CDEF')
    expect(messageName('a@example.org')).toBe('<a@example.org>')
    expect(messageName('<a@example.org>')).toBe('<a@example.org>')
    expect(() => messageName('bob')).toThrow(/neither/)
  })
})

describe('the daemon', () => {
  test('does nothing of a request that it does not understand to the last word', () => {
    const act = { ask: 'act', action: 'drop', by: 'root' }
    for (const request of [
      undefined,
      {},
      { ask: 'drop' },
      { ...act, select: { all: true }, force: true },
      { ...act, select: { destinaton: 'example.net' } },
      { ...act, select: { ids: [] } },
      { ...act, select: { ids: ['1'], login: 'alice' } },
      { ...act, select: { all: false } },
      { ...act, select: { all: true }, by: '' },
      { ask: 'lift', by: 'root', target: { kind: 'everything', value: 'example.net' } },
      { ask: 'lift', by: 'root', target: { kind: 'login', value: '' } },
      { ask: 'hold', by: 'root', target: { kind: 'domain', value: 'example.net' } },
    ]) {
      expect(() => readQueueRequest(request), JSON.stringify(request)).toThrow(/restart it/)
    }
    const understood = { ...act, select: { destination: 'example.net', olderThan: 5 } }
    expect(readQueueRequest(understood)).toEqual(understood)
  })

  test('writes no line end of an operator’s name into a record', () => {
    const request = { ask: 'hold', by: 'ro\not', target: { kind: 'everything', value: '' } }
    expect(readQueueRequest(request)).toMatchObject({ by: 'ro ot' })
  })
})

describe('what is printed', () => {
  test('stands in columns, and what came from outside cannot write on the terminal', () => {
    expect(
      table([
        ['a', 'bb', 'end'],
        ['ccc', '\u001b[2Jd\r\n', ''],
      ]),
    ).toEqual(['a    bb    end', 'ccc  [2Jd'])
    expect(table([['abcdefgh']], 5)).toEqual(['abcd…'])
  })

  test('times are told from now, with the date where it is another day', () => {
    expect(whenNext(T0, T0)).toBe('now')
    expect(whenNext(T0 + 90_000, T0)).toBe('in 1m 30s (08:01:30)')
    expect(whenNext(T0 + 86_400_000, T0)).toBe('in 1d (2026-01-06 08:00:00)')
  })

  test('a list of nothing says so, and says what stands', () => {
    const counts = { queued: 0, active: 0, held: 0, oldestAt: undefined }
    const hold = {
      kind: 'everything',
      value: '',
      by: 'root (uid 0)',
      at: T0,
      deliveries: 0,
    } as const
    const answers: QueueAnswer[] = [
      { kind: 'queue', counts, holds: [hold], slowed: [] },
      { kind: 'listed', deliveries: 0, more: false },
    ]
    expect(listLines(answers, T0 + 60_000)).toEqual([
      'HELD: hold on everything, set 2026-01-05 08:00:00 (1m ago) by root (uid 0): 0 deliveries',
      'nothing found; in the queue: 0 queued, 0 active, 0 held',
    ])
  })

  test('a provider that gets less is said before anything else, with its own words', () => {
    const site = { name: 'gmail', provider: 'gmail', running: 1, level: 3, pausedUntil: 0 }
    const reply = '421 4.7.28 unusual rate'
    expect(siteLine({ ...site, connections: 1, messagesPerMinute: 6, reply }, T0)).toBe(
      'SLOWED: gmail: 1 of 1 connection in use, at most 6 messages a minute, since it said: 421 4.7.28 unusual rate',
    )
    expect(siteLine({ ...site, pausedUntil: T0 + 7_200_000, reply }, T0)).toBe(
      'SLOWED: gmail: paused, next mail in 2h (10:00:00), 1 connection in use, since it said: 421 4.7.28 unusual rate',
    )
    expect(siteLine({ ...site, level: 0, connections: 5, reply: '' }, T0)).toBe(
      'gmail: 1 of 5 connections in use',
    )
  })

  test('an action on very many is not told line by line', () => {
    const tally = new ActedTally('retry')
    const one = {
      kind: 'acted',
      action: 'retry',
      id: 'X',
      domain: 'example.net',
      kept: '',
    } as const
    const lines = Array.from({ length: 1_000 }, () => tally.add({ ...one, result: 'done' }))
    expect(lines.filter(line => line !== undefined)).toHaveLength(200)
    expect([tally.summary, tally.exitCode]).toEqual(['1000 deliveries due now', 0])
    tally.add({ ...one, result: 'busy' })
    expect([tally.summary, tally.exitCode]).toEqual([
      '1000 deliveries due now, 1 left as they were',
      1,
    ])
    expect(new ActedTally('drop').summary).toBe('nothing to do was found')
  })

  test('the life of a message names each recipient with the reply that was meant for it', () => {
    const entry = { domain: 'example.net', host: 'mx.example.net', tls: 'TLSv1.3', note: '' }
    const recipient = { dueAt: T0, lastHost: 'mx.example.net' }
    const refused = '550 5.1.1 no such user here'
    const greylisted = '451 4.7.1 come back later'
    const record: MessageRecord = {
      message: {
        id: '1HQ7Z6V3KAB2CDEF',
        envelope: {
          reversePath: 'alice@example.org',
          recipients: [{ address: 'b@example.net' }, { address: 'c@example.net' }],
          eightBit: false,
          smtputf8: false,
        },
        login: 'alice',
        acceptedAt: T0,
        messageId: '<1@example.org>',
        size: 1_000,
      },
      recipients: [
        {
          ...recipient,
          address: 'b@example.net',
          state: 'bounced',
          attempts: 2,
          lastReply: refused,
        },
        {
          ...recipient,
          address: 'c@example.net',
          state: 'queued',
          attempts: 2,
          lastReply: greylisted,
          dueAt: T0 + 300_000,
        },
      ],
      timeline: [
        { ...entry, at: T0, kind: 'accepted', domain: '', host: '', reply: '', tls: '' },
        {
          ...entry,
          at: T0 + 1_500,
          kind: 'deferred',
          host: '',
          tls: '',
          reply: 'no route to host',
          recipients: [0, 1],
        },
        { ...entry, at: T0 + 90_000, kind: 'bounced', reply: refused, recipients: [0] },
        { ...entry, at: T0 + 90_000, kind: 'deferred', reply: greylisted, recipients: [1] },
        { ...entry, at: T0 + 90_000, kind: 'report', reply: '', note: 'report ABC queued' },
        { ...entry, at: T0 + 95_000, kind: 'operator', reply: '', note: 'held by root (uid 0)' },
        {
          ...entry,
          at: T0 + 99_000,
          kind: 'operator',
          reply: '',
          note: 'released by root (uid 0)',
        },
      ],
    }
    expect(lifeLines(record, T0 + 100_000)).toEqual([
      '2026-01-05 08:00:00  +0ms     accepted from alice@example.org, login alice: 1000 octets for 2 recipients',
      '2026-01-05 08:00:01  +1.5s    b@example.net, c@example.net: could not be tried: no route to host',
      `2026-01-05 08:01:30  +1m 30s  b@example.net: refused by mx.example.net over TLSv1.3: ${refused}`,
      `2026-01-05 08:01:30  +1m 30s  c@example.net: not now, at mx.example.net over TLSv1.3: ${greylisted}`,
      '2026-01-05 08:01:30  +1m 30s  the sender is told, by report ABC',
      '2026-01-05 08:01:35  +1m 35s  example.net: held by root (uid 0)',
      '2026-01-05 08:01:39  +1m 39s  example.net: released by root (uid 0)',
      '',
      `b@example.net  bounced  2 attempts; mx.example.net: ${refused}`,
      `c@example.net  queued   next attempt in 3m 20s (08:05:00); 2 attempts; mx.example.net: ${greylisted}`,
    ])
  })
})
