import { DatabaseUnavailable } from '../../../base/postgres.ts'
import { codeOf, messageOf } from '../../../base/problem.ts'
import { StoreUnavailable } from '../store.ts'

const DISK_FULL = '53100'

/** Runs what asks the database; that it is away means the store is. A fault of the program stays what it is. */
export async function asking<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof DatabaseUnavailable)) throw error
    throw new StoreUnavailable(`queue store: ${messageOf(error)}`, {
      full: codeOf(error.cause) === DISK_FULL,
      cause: error,
    })
  }
}
