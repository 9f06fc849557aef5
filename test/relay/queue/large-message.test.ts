import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { expect, test } from 'vitest'

import { scratchFolder } from '../../support/scratch.ts'

const FIXTURE = new URL('fixtures/large-message.ts', import.meta.url).pathname

test('a message of 50 MiB goes in and out with less than 2 MiB of memory', async () => {
  const path = join(await scratchFolder(), 'queue.sqlite')
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', FIXTURE, path])
  expect(stdout).toMatch(/^-?\d+$/m)
  expect(Number(stdout)).toBeLessThan(2 * 1024 * 1024)
})
