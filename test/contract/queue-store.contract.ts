import { knowsItsSize } from './queue-store-counting.ts'
import { keepsBack } from './queue-store-holding.ts'
import { keepsMessages } from './queue-store-keeping.ts'
import { leasesDeliveries } from './queue-store-leasing.ts'
import { obeysOperators } from './queue-store-operating.ts'
import { tellsItsOwner } from './queue-store-owner.ts'
import { settlesAttempts } from './queue-store-settling.ts'
import type { OpenStore } from './queue-store-under-test.ts'

/** What every implementation of `QueueStore` must do. */
export function queueStoreContract(name: string, open: OpenStore): void {
  keepsMessages(name, open)
  leasesDeliveries(name, open)
  settlesAttempts(name, open)
  knowsItsSize(name, open)
  obeysOperators(name, open)
  keepsBack(name, open)
  tellsItsOwner(name, open)
}
