import { accessSync, constants } from 'node:fs'

import type { KeyPath, ProblemList } from './problem-list.ts'
import { unreadable } from './secrets.ts'

const NAMES_A_FILE = /^(?:certificate|key|ca|\w+_file)$/

/**
 * Lists the files that are named anywhere in a value and cannot be read. For a configuration whose shape is wrong: nobody
 * gets as far as reading them then, and whoever mends it should not learn of them only afterwards.
 */
export function listUnreadable(problems: ProblemList, value: unknown, path: KeyPath = []): void {
  if (typeof value !== 'object' || value === null) return
  const entries: [string | number, unknown][] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value)
  for (const [key, inner] of entries) {
    const at = [...path, key]
    if (typeof inner !== 'string') listUnreadable(problems, inner, at)
    else if (typeof key === 'string' && NAMES_A_FILE.test(key)) {
      try {
        accessSync(inner, constants.R_OK)
      } catch (error) {
        problems.add(at, unreadable(inner, error))
      }
    }
  }
}
