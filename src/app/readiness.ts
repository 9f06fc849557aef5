import { DISK_RESERVE } from '../relay/submission/limits.ts'
import type { Relay } from './relay-parts.ts'

/** One thing without which the relay takes no mail. */
interface ReadinessCheck {
  readonly name: string
  readonly check: () => Answer | Promise<Answer>
}

interface Answer {
  readonly ok: boolean
  readonly detail: string
}

/** Ready is: can take mail. Whether it arrives is for alerts. */
export function readiness(relay: Relay): readonly ReadinessCheck[] {
  return [
    {
      name: 'directory',
      check: () => {
        const ok = relay.directory.ready()
        return { ok, detail: ok ? 'a snapshot is loaded' : 'no snapshot is loaded yet' }
      },
    },
    {
      name: 'store',
      check: async () => {
        const free = relay.freeSpace()
        // Every MAIL is answered by 452 then, whether or not the store could still write.
        if (free !== undefined && free < DISK_RESERVE) return { ok: false, detail: 'no space left' }
        await relay.store.check()
        const { queued, active, held } = await relay.store.counts()
        return { ok: true, detail: `${queued} queued, ${active} active, ${held} held` }
      },
    },
    {
      name: 'listeners',
      check: () => {
        const open = relay.submission.listening.map(({ address }) => address)
        return { ok: open.length > 0, detail: open.join(', ') }
      },
    },
  ]
}
