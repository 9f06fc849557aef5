import { describe, expect, test } from 'vitest'

import { DAY, HOUR } from '../../../src/base/clock.ts'
import { judge, type Judgement } from '../../../src/relay/limits/judge.ts'
import { KNOWN_FOR, type Charge, type Ledger } from '../../../src/relay/limits/ledger.ts'
import { UNLIMITED, type LoginLimits } from '../../../src/relay/limits/login-limits.ts'
import { RecipientDigests } from '../../../src/relay/limits/recipient-digests.ts'
import { GRIDS } from '../../../src/relay/limits/usage.ts'
import type { QueueStore } from '../../../src/relay/queue/store.ts'
import { message, T0 } from '../../contract/queue-store-samples.ts'

export type Counting = QueueStore & { readonly ledger: Ledger }

const digests = new RecipientDigests(Buffer.alloc(32, 7))

function digestsOf(to: readonly string[]): Buffer[] {
  return to.map(address => digests.of('alice', address))
}

interface Sent {
  readonly to: readonly string[]
  readonly limits?: Partial<LoginLimits>
  readonly now?: number
}

async function send(store: Counting, { to, limits = {}, now = T0 }: Sent): Promise<Judgement> {
  const body = store.newBody()
  await body.write(Buffer.from('Subject: hello\r\n\r\nhello\r\n'))
  const charge: Charge = {
    login: 'alice',
    now,
    recipients: to.length,
    digests: digestsOf(to),
    judge: (usage, wanted) => judge(usage, wanted, { ...UNLIMITED, ...limits }, now),
  }
  const judged = await store.ledger.putCounted(
    message(to, now),
    body,
    charge,
    () => 'over the limit',
  )
  if (judged.kind === 'defer') await body.abort()
  return judged
}

/** What the windows of a day see. */
async function counted(store: Counting, now = T0): Promise<Record<string, number>> {
  const sums = { messages: 0, recipients: 0, fresh: 0 }
  const longest = Math.max(...GRIDS.map(({ step }) => step))
  for (const step of await store.ledger.usage('alice', now)) {
    if (step.step !== longest) continue
    sums.messages += step.messages
    sums.recipients += step.recipients
    sums.fresh += step.fresh
  }
  return sums
}

const BOB = 'bob@example.net'
const CAROL = 'carol@example.net'

/** What every implementation of `Ledger` must do. */
export function ledgerContract(
  name: string,
  open: () => Promise<{ readonly store: Counting; readonly reopen: () => Promise<Counting> }>,
): void {
  describe(`the ledger of ${name}`, () => {
    test('counts messages, recipients, and those that are new, and still knows them after a restart', async () => {
      const { store, reopen } = await open()
      await send(store, { to: [BOB, CAROL] })
      await send(store, { to: [BOB], now: T0 + HOUR })
      const wanted = { messages: 2, recipients: 3, fresh: 2 }
      expect(await counted(store, T0 + HOUR)).toEqual(wanted)
      const later = await reopen()
      expect(await counted(later, T0 + HOUR)).toEqual(wanted)
      expect(await later.ledger.unknown('alice', digestsOf([BOB, 'dave@example.net']))).toBe(1)
    })

    test('neither puts nor counts what is deferred', async () => {
      const { store } = await open()
      const limits = { messages_per_hour: 1 }
      await send(store, { to: [BOB], limits })
      expect(await send(store, { to: [CAROL], limits })).toMatchObject({ kind: 'defer' })
      expect(await counted(store)).toEqual({ messages: 1, recipients: 1, fresh: 1 })
      expect(await store.counts()).toMatchObject({ queued: 1, held: 0 })
    })

    test('puts what is held, keeps it back, counts it, and makes nobody known by it', async () => {
      const { store } = await open()
      const limits = { over: 'hold', messages_per_hour: 1 } as const
      await send(store, { to: [BOB], limits })
      expect(await send(store, { to: [CAROL], limits })).toMatchObject({ kind: 'hold' })
      expect(await counted(store)).toEqual({ messages: 2, recipients: 2, fresh: 2 })
      expect(await store.counts()).toMatchObject({ queued: 1, held: 1 })
      expect(await store.ledger.unknown('alice', digestsOf([BOB, CAROL]))).toBe(1)
    })

    test('gives the last place to one of many that ask at the same time', async () => {
      const { store } = await open()
      const limits = { messages_per_hour: 3 }
      const all = await Promise.all(
        Array.from({ length: 20 }, () => send(store, { to: [BOB], limits })),
      )
      expect(all.filter(({ kind }) => kind === 'within')).toHaveLength(3)
      expect(await store.counts()).toMatchObject({ queued: 3 })
    })

    test('forgets what no window sees, and whom nobody has written to for long', async () => {
      const { store } = await open()
      await send(store, { to: [BOB] })
      await store.ledger.forget(T0 + DAY / 2)
      expect(await counted(store)).toMatchObject({ messages: 1 })
      await store.ledger.forget(T0 + 2 * DAY)
      expect(await counted(store)).toMatchObject({ messages: 0 })
      expect(await store.ledger.unknown('alice', digestsOf([BOB]))).toBe(0)
      await send(store, { to: [CAROL], now: T0 + KNOWN_FOR / 2 })
      await store.ledger.forget(T0 + KNOWN_FOR + DAY)
      expect(await store.ledger.unknown('alice', digestsOf([BOB]))).toBe(1)
      expect(await store.ledger.unknown('alice', digestsOf([CAROL]))).toBe(0)
    })

    test('keeps the logins apart', async () => {
      const { store } = await open()
      await send(store, { to: [BOB] })
      expect(await store.ledger.usage('carol', T0)).toEqual([])
      expect(await store.ledger.unknown('carol', digestsOf([BOB]))).toBe(1)
    })
  })
}
