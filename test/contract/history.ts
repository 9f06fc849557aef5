import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { DAY } from '../../src/base/clock.ts'
import type { HistoryStore } from '../../src/probe/history.ts'
import type { Canary, Look, Verdict } from '../../src/probe/model.ts'
import { arrived, canary, HOUR, sighting, T0 } from './history-samples.ts'

const MISSING: Verdict = { kind: 'missing', stage: 'submitted' }

/** What every history has to do. */
export function historyContract(name: string, open: () => Promise<HistoryStore>): void {
  describe(name, () => {
    let history: HistoryStore
    beforeEach(async () => {
      history = await open()
    })
    afterEach(() => history.close())

    async function decided(verdict: Verdict, changes: Partial<Canary> = {}): Promise<Canary> {
      const one = canary(changes)
      expect(await history.begin(one)).toBe(true)
      if (verdict.kind !== 'rejected') await history.submitted(one.id, one.scheduledAt + 10, 'Q')
      expect(await history.decide(one.id, verdict, one.scheduledAt + 20)).toBe(true)
      return one
    }

    test('a canary is on record before it is submitted, and undecided', async () => {
      const one = canary()
      expect(await history.begin(one)).toBe(true)
      expect(await history.undecided()).toEqual([one])
      expect(await history.find(one.id)).toEqual({
        canary: one,
        verdict: undefined,
        decidedAt: 0,
        lateAt: 0,
        sightings: [],
      })
    })

    test('of two nodes only one gets a tick', async () => {
      const first = canary({ scheduledAt: T0 - 1 })
      const second = canary({ scheduledAt: T0 - 1 })
      expect(await history.begin(first)).toBe(true)
      expect(await history.begin(second)).toBe(false)
      expect(await history.find(second.id)).toBeUndefined()
      // The same moment of another probe is another tick.
      expect(await history.begin(canary({ scheduledAt: T0 - 1, probe: 'relay/yahoo-1' }))).toBe(
        true,
      )
    })

    test('a submission adds the time and the origin’s id', async () => {
      const one = canary()
      await history.begin(one)
      await history.submitted(one.id, T0 + 5, 'QUEUE-1')
      const record = await history.byToken(one.token)
      expect(record?.canary).toEqual({ ...one, submittedAt: T0 + 5, queueId: 'QUEUE-1' })
    })

    test('the first decision stands', async () => {
      const one = await decided(MISSING)
      expect(await history.decide(one.id, arrived('inbox', 1), T0 + 9)).toBe(false)
      const record = await history.find(one.id)
      expect(record?.verdict).toEqual(MISSING)
      expect(record?.decidedAt).toBe(one.scheduledAt + 20)
      expect(await history.undecided()).toEqual([])
    })

    test('every verdict comes back as it was given', async () => {
      const verdicts: Verdict[] = [
        { ...arrived('inbox', 1.5), tab: 'promotions' } as Verdict,
        arrived('spam', 2),
        arrived('other', 0),
        MISSING,
        {
          kind: 'bounced',
          reply: { code: 550, enhanced: '5.7.26', text: 'no' },
          stage: 'provider-refused',
        },
        { kind: 'rejected', cause: 'timeout' },
        { kind: 'unknown', reason: 'sign-in' },
      ]
      for (const verdict of verdicts) {
        const one = await decided(verdict)
        expect((await history.find(one.id))?.verdict).toEqual(verdict)
      }
    })

    test('a sighting is recorded once a folder and UID, the first one first', async () => {
      const one = canary()
      await history.begin(one)
      const inbox = sighting({ seenAt: T0 + 5, tab: 'promotions' })
      const moved = sighting({ seenAt: T0 + 9, folder: 'Junk', placement: 'spam' })
      await history.sighted(one.id, moved)
      await history.sighted(one.id, inbox)
      await history.sighted(one.id, { ...inbox, seenAt: T0 + 20 })
      expect((await history.find(one.id))?.sightings).toEqual([inbox, moved])
    })

    test('of two sightings in one look the one in INBOX comes first', async () => {
      const one = canary()
      await history.begin(one)
      await history.sighted(one.id, sighting({ folder: 'All', placement: 'other' }))
      await history.sighted(one.id, sighting({ folder: 'Junk', placement: 'spam' }))
      await history.sighted(one.id, sighting())
      const record = await history.find(one.id)
      expect(record?.sightings.map(seen => seen.placement)).toEqual(['inbox', 'spam', 'other'])
    })

    test('late is what was decided missing, once; its verdict stays', async () => {
      const one = await decided(MISSING)
      expect(await history.late(one.id, T0 + HOUR)).toBe(true)
      expect(await history.late(one.id, T0 + 2 * HOUR)).toBe(false)
      const record = await history.find(one.id)
      expect(record).toMatchObject({ verdict: MISSING, lateAt: T0 + HOUR })
      const other = await decided({ kind: 'unknown', reason: 'unreadable' })
      expect(await history.late(other.id, T0)).toBe(false)
    })

    test('the first report that came back is kept, before a verdict and after it', async () => {
      const report = {
        at: T0 + 7,
        reply: { code: 550, enhanced: '5.7.1', text: 'no' },
        host: 'mx.example.net',
      }
      const one = await decided(MISSING)
      expect(await history.reported(one.id, report)).toBe(true)
      expect(await history.reported(one.id, { ...report, host: 'other' })).toBe(false)
      expect(await history.find(one.id)).toMatchObject({ verdict: MISSING, report })
      expect(await history.reported('0000000000000000', report)).toBe(false)
    })

    test('undecided canaries come oldest first, of all seeds or of one', async () => {
      const young = canary({ scheduledAt: T0 + HOUR })
      const old = canary({ scheduledAt: T0 + 1, seed: 'another' })
      await history.begin(young)
      await history.begin(old)
      const ids = async (seed?: string): Promise<readonly string[]> =>
        (await history.undecided(seed)).map(one => one.id)
      expect(await ids()).toEqual([old.id, young.id])
      expect(await ids('another')).toEqual([old.id])
      expect(await ids('nobody')).toEqual([])
    })

    test('canaries are listed newest first, by every filter, up to a limit', async () => {
      const at = T0 + 10 * HOUR
      const a = await decided(MISSING, { scheduledAt: at })
      const b = await decided(arrived('inbox', 1), { scheduledAt: at + 1, origin: 'other' })
      const c = await decided(arrived('spam', 1), {
        scheduledAt: at + 2,
        seed: 'yahoo-1',
        provider: 'yahoo',
      })
      const ids = async (filter: object): Promise<string[]> =>
        (await history.list({ since: at, limit: 10, ...filter })).map(found => found.canary.id)
      expect(await ids({})).toEqual([c.id, b.id, a.id])
      expect(await ids({ limit: 2 })).toEqual([c.id, b.id])
      expect(await ids({ origin: 'other' })).toEqual([b.id])
      expect(await ids({ provider: 'yahoo' })).toEqual([c.id])
      expect(await ids({ seed: 'gmail-1' })).toEqual([b.id, a.id])
      expect(await ids({ verdict: 'missing' })).toEqual([a.id])
      expect(await ids({ until: at + 1 })).toEqual([a.id])
    })

    test('verdicts are counted by origin, provider, seed and step; undecided ones are not', async () => {
      const at = Math.ceil(T0 / HOUR) * HOUR
      await decided(arrived('inbox', 1), { scheduledAt: at })
      await decided(arrived('inbox', 2), { scheduledAt: at + 1 })
      const lost = await decided(MISSING, { scheduledAt: at + 2 })
      await history.late(lost.id, at + HOUR)
      await decided({ kind: 'rejected', cause: 'refused' }, { scheduledAt: at + HOUR })
      await decided(arrived('spam', 3), { scheduledAt: at + HOUR, origin: 'other', probe: 'o' })
      await history.begin(canary({ scheduledAt: at + 3 }))
      const tallies = await history.tally(at, at + 2 * HOUR, HOUR)
      expect(
        tallies.map(({ origin, from, counts, late }) => ({
          origin,
          step: (from - at) / HOUR,
          counts: Object.fromEntries(Object.entries(counts).filter(([, n]) => n > 0)),
          late,
        })),
      ).toEqual([
        { origin: 'relay', step: 0, counts: { inbox: 2, missing: 1 }, late: 1 },
        { origin: 'other', step: 1, counts: { spam: 1 }, late: 0 },
        { origin: 'relay', step: 1, counts: { rejected: 1 }, late: 0 },
      ])
      const whole = await history.tally(at, at + 2 * HOUR, 0)
      expect(whole.map(tally => [tally.origin, tally.from])).toEqual([
        ['other', 0],
        ['relay', 0],
      ])
    })

    test('arrival times are told of what arrived, newest first', async () => {
      const at = T0 + 20 * HOUR
      await decided(arrived('inbox', 1), { scheduledAt: at })
      await decided(MISSING, { scheduledAt: at + 1 })
      await decided(arrived('spam', 2), { scheduledAt: at + 2 })
      const rows = await history.arrivals(at, at + HOUR, 10)
      expect(rows.map(row => [row.placement, row.seconds, row.submittedAt])).toEqual([
        ['spam', 2, at + 12],
        ['inbox', 1, at + 10],
      ])
      expect(await history.arrivals(at, at + HOUR, 1)).toHaveLength(1)
    })

    test('verdicts are read in the order in which they were given, each once', async () => {
      const at = T0 + 30 * HOUR
      const one = canary({ scheduledAt: at })
      const other = canary({ scheduledAt: at + 1 })
      const open = canary({ scheduledAt: at + 2 })
      for (const begun of [one, other, open]) await history.begin(begun)
      await history.decide(other.id, arrived('spam', 7), at + 10)
      await history.decide(one.id, MISSING, at + 20)
      const all = await history.decisions({ at, id: '' }, 10)
      expect(all).toEqual([
        {
          id: other.id,
          origin: 'relay',
          provider: 'gmail',
          label: 'spam',
          seconds: 7,
          decidedAt: at + 10,
        },
        expect.objectContaining({ id: one.id, label: 'missing', seconds: null }),
      ])
      expect(await history.decisions({ at, id: '' }, 1)).toHaveLength(1)
      expect(await history.decisions({ at: at + 10, id: other.id }, 10)).toEqual(all.slice(1))
      expect(await history.decisions({ at: at + 20, id: one.id }, 10)).toEqual([])
    })

    test('verdicts are counted by when they were given, the slow ones apart', async () => {
      const at = T0 + 40 * HOUR
      const verdicts: Verdict[] = [
        arrived('inbox', 5),
        arrived('inbox', 5.1),
        arrived('spam', 900),
        MISSING,
        { kind: 'rejected', cause: 'timeout' },
        { kind: 'unknown', reason: 'unreadable' },
      ]
      for (const [i, verdict] of verdicts.entries()) {
        await decided(verdict, { scheduledAt: at + HOUR + i })
      }
      await decided(MISSING, { scheduledAt: at - 20 })
      await decided(MISSING, { scheduledAt: at + 2 * HOUR - 20 })
      expect(await history.outcomes(at + 1, at + 2 * HOUR, 5)).toEqual([
        { origin: 'relay', provider: 'gmail', lost: 2, inbox: 2, elsewhere: 1, slow: 2 },
      ])
    })

    test('what two origins sent together is a pair, counted by both verdicts', async () => {
      const day = Math.ceil(T0 / DAY) * DAY
      const old = { origin: 'old', probe: 'old/gmail-1' }
      const both = async (at: number, a: Verdict, b: Verdict): Promise<void> => {
        await decided(a, { scheduledAt: at })
        await decided(b, { scheduledAt: at, ...old })
      }
      await both(day, arrived('inbox', 1), arrived('inbox', 1))
      await both(day + 1, arrived('inbox', 1), MISSING)
      await both(day + 2, arrived('inbox', 1), MISSING)
      await both(day + DAY, arrived('inbox', 1), MISSING)
      // No partner; one of another content; one to another seed; one that is undecided.
      await decided(arrived('inbox', 1), { scheduledAt: day + 10 })
      await decided(MISSING, { scheduledAt: day + 10, ...old, content: 'reply' })
      await decided(MISSING, { scheduledAt: day + 10, ...old, probe: 'o', seed: 'gmail-2' })
      await decided(arrived('inbox', 1), { scheduledAt: day + 20 })
      await history.begin(canary({ scheduledAt: day + 20, ...old }))
      expect(await history.pairs('relay', 'old', day, day + 2 * DAY)).toEqual([
        { provider: 'gmail', day, a: 'inbox', b: 'inbox', n: 1 },
        { provider: 'gmail', day, a: 'inbox', b: 'missing', n: 2 },
        { provider: 'gmail', day: day + DAY, a: 'inbox', b: 'missing', n: 1 },
      ])
      expect(await history.pairs('old', 'relay', day, day + DAY)).toEqual([
        { provider: 'gmail', day, a: 'inbox', b: 'inbox', n: 1 },
        { provider: 'gmail', day, a: 'missing', b: 'inbox', n: 2 },
      ])
    })

    test('a probe is paused once and resumed once; its standing says what keeps it', async () => {
      const at = T0 + 50 * HOUR
      const [probe, seed] = ['relay/quiet-1', 'quiet-1']
      const none = { paused: false, undecided: 0, sent: 0 }
      expect(await history.standing(probe, seed, at)).toEqual(none)
      await history.begin(canary({ probe, seed, scheduledAt: at }))
      await decided(MISSING, { probe, seed, scheduledAt: at + 1 })
      await decided(MISSING, { probe: 'old/quiet-1', seed, scheduledAt: at + 2 })
      await decided(MISSING, { probe, seed, scheduledAt: at - 1 })
      expect(await history.standing(probe, seed, at)).toEqual({ ...none, undecided: 1, sent: 3 })
      expect(await history.pause({ probe, at, by: 'anna' })).toBe(true)
      expect(await history.pause({ probe, at: at + 1, by: 'otto' })).toBe(false)
      expect(await history.pauses()).toEqual([{ probe, at, by: 'anna' }])
      expect(await history.standing(probe, seed, at)).toMatchObject({ paused: true })
      expect(await history.resume(probe)).toBe(true)
      expect(await history.resume(probe)).toBe(false)
      expect(await history.standing(probe, seed, at)).toMatchObject({ paused: false })
    })

    test('cursors are those of the last time, each seed its own', async () => {
      const cursors = [
        { folder: 'INBOX', uidValidity: '4294967295', uidNext: 12 },
        { folder: 'Junk', uidValidity: '7', uidNext: 1 },
      ]
      await history.saveCursors('gmail-1', cursors)
      await history.saveCursors('yahoo-1', [{ folder: 'INBOX', uidValidity: '1', uidNext: 2 }])
      expect(await history.cursors('gmail-1')).toEqual(cursors)
      await history.saveCursors('gmail-1', cursors.slice(0, 1))
      expect(await history.cursors('gmail-1')).toEqual(cursors.slice(0, 1))
      expect(await history.cursors('nobody')).toEqual([])
    })

    test('the last look at a seed is kept', async () => {
      const look: Look = {
        seed: 'gmail-1',
        beganAt: T0,
        endedAt: T0 + 1,
        complete: true,
        detail: '',
      }
      expect(await history.lastLook('gmail-1')).toBeUndefined()
      await history.looked(look)
      await history.looked({ ...look, complete: false, blindness: 'sign-in', detail: 'NO' })
      expect(await history.lastLook('gmail-1')).toMatchObject({ complete: false, detail: 'NO' })
    })

    test('what is swept is old and decided', async () => {
      const at = T0 - 100 * HOUR
      const gone = await decided(MISSING, { scheduledAt: at })
      await history.sighted(gone.id, sighting())
      const open = canary({ scheduledAt: at + 1 })
      await history.begin(open)
      const young = await decided(MISSING, { scheduledAt: at + HOUR })
      expect(await history.sweep(at + HOUR)).toBe(1)
      expect(await history.find(gone.id)).toBeUndefined()
      expect(await history.find(open.id)).toBeDefined()
      expect(await history.find(young.id)).toBeDefined()
    })
  })
}
