import type { RangeName, Status } from './status-data.ts'

const TRY_AGAIN = 5_000

interface Followers {
  readonly status: (status: Status) => void
  /** Nobody answers; what is shown grows old. */
  readonly away: () => void
}

/**
 * Follows the status of one range as it changes. A hidden tab is looked at by nobody: it does not listen, and is right
 * at once when it is seen again.
 */
export class Follower {
  readonly #followers: Followers
  #range: RangeName = '24h'
  #events: EventSource | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(followers: Followers) {
    this.#followers = followers
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) this.#close()
      else this.#open()
    })
  }

  /** Begins, or goes over to another range. */
  follow(range: RangeName): void {
    this.#range = range
    this.#open()
  }

  #open(): void {
    this.#close()
    const events = new EventSource(`/api/events?range=${this.#range}`)
    this.#events = events
    events.addEventListener('status', event => {
      this.#followers.status(JSON.parse(String(event.data)) as Status)
    })
    events.addEventListener('away', () => this.#followers.away())
    events.addEventListener('error', () => {
      this.#followers.away()
      // The browser comes again by itself after a broken connection, but not after an answer that was a refusal.
      if (events.readyState !== EventSource.CLOSED) return
      void leaveIfLoggedOut()
      this.#timer = setTimeout(() => this.#open(), TRY_AGAIN)
    })
  }

  #close(): void {
    clearTimeout(this.#timer)
    this.#events?.close()
    this.#events = undefined
  }
}

/** A session that has ended is a matter for the login page. */
async function leaveIfLoggedOut(): Promise<void> {
  const answer = await fetch('/api/status').catch(() => undefined)
  if (answer?.status === 401) location.reload()
}
