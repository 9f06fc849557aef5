import { codeOf, messageOf } from '../../../base/problem.ts'
import { StoreUnavailable } from '../store.ts'

/** What a failed call of the file system means for the callers of the store. A fault of the program stays what it is. */
export function translateFile(error: unknown): unknown {
  const code = codeOf(error)
  if (!/^E[A-Z0-9]+$/.test(code)) return error
  return new StoreUnavailable(`queue store: ${messageOf(error)}`, {
    full: code === 'ENOSPC' || code === 'EDQUOT',
    cause: error,
  })
}
