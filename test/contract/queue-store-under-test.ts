import type { QueueOperations } from '../../src/relay/queue/operations.ts'
import type { QueueOfLogin } from '../../src/relay/queue/queue-of-login.ts'
import type { QueueStore } from '../../src/relay/queue/store.ts'

/** One store to test, and the same store as a later process would find it. */
export interface StoreUnderTest {
  readonly store: QueueStore & QueueOperations & QueueOfLogin
  /** Closes the store and opens it again; undefined where nothing outlives the process. */
  readonly reopen: (() => Promise<QueueStore>) | undefined
}

export type OpenStore = () => Promise<StoreUnderTest>
