import { codeOf, messageOf } from '../../../base/problem.ts'
import { StoreUnavailable } from '../store.ts'

// Result codes that are weather: of the disk, the file system, another process. All others are faults of ours.
const WEATHER =
  /^SQLITE_(?:FULL|IOERR|READONLY|BUSY|LOCKED|CANTOPEN|CORRUPT|NOTADB|NOMEM|PERM|AUTH)/

/** What a failed call of SQLite means for the callers of the store. A fault of the program stays what it is. */
export function translate(error: unknown): unknown {
  const code = codeOf(error)
  if (!WEATHER.test(code)) return error
  return new StoreUnavailable(`queue store: ${messageOf(error)} (${code})`, {
    full: code === 'SQLITE_FULL',
    cause: error,
  })
}

/** Runs a reading query, with its failures translated. */
export function reading<T>(query: () => T): T {
  try {
    return query()
  } catch (error) {
    throw translate(error)
  }
}
