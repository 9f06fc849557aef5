import { chmodSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { onTestFinished } from 'vitest'

/**
 * A folder of its own for one test, removed when the test has finished. Mode 0755, since servers that drop root
 * have to get in.
 */
export async function scratchFolder(): Promise<string> {
  const folder = await makeScratch()
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** The same for a whole file: the caller removes it (`afterAll`). */
export async function makeScratch(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mailcanary-test-'))
  chmodSync(folder, 0o755)
  return folder
}
