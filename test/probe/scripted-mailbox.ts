import { onTestFinished } from 'vitest'

import type { FoundMessage, Mailbox, Reading } from '../../src/probe/mailbox.ts'
import type { Prober } from '../../src/probe/prober.ts'
import type { Seed } from '../../src/probe/seed.ts'
import type { Submit } from '../../src/probe/sender.ts'
import { PROVIDER, SEED_ADDRESS } from './world.ts'

export const SEED: Seed = {
  name: 'example-1',
  provider: PROVIDER,
  address: SEED_ADDRESS,
  imap: {
    host: 'imap.example.net',
    port: 993,
    username: SEED_ADDRESS,
    credential: () => Promise.reject(new Error('nobody signs in here')),
  },
  pollEvery: 20,
  othersEvery: 1_000_000,
}

export const QUEUED: Submit = async options => ({
  kind: 'submitted',
  at: options.clock(),
  queueId: 'QUEUE-1',
})

export const REFUSED = {
  kind: 'rejected',
  cause: 'refused',
  reply: { code: 550, enhanced: '5.7.1', text: 'no' },
} as const

/** A mailbox in memory, which is empty until something is put in. */
export class ScriptedMailbox implements Mailbox {
  readonly put: FoundMessage[] = []
  reading: Partial<Reading> = {}

  async read(): Promise<Reading> {
    const messages = this.put.splice(0)
    return { cursors: [], messages, complete: true, detail: '', ...this.reading }
  }
  async waitForNews(atMost: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, atMost)
      signal.addEventListener('abort', () => (clearTimeout(timer), resolve()))
    })
  }
  async remove(): Promise<number> {
    return 0
  }
  async close(): Promise<void> {
    await Promise.resolve()
  }
}

export function found(header: string): FoundMessage {
  return {
    folder: 'INBOX',
    placement: 'inbox',
    uid: 1,
    uidValidity: '1',
    internalDate: Date.now(),
    header,
  }
}

export async function running(prober: Prober): Promise<void> {
  onTestFinished(() => prober.stop())
  await prober.start()
}
