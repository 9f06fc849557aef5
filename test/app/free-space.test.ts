import { statfsSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { freeSpaceOf } from '../../src/app/free-space.ts'
import { scratchFolder } from '../support/scratch.ts'

test('what is free is what the file system says, asked anew when a second has passed', async () => {
  const folder = join(await scratchFolder(), 'state')
  await mkdir(folder)
  let now = 1_000_000
  const free = freeSpaceOf(folder, () => now)
  const first = free() ?? 0
  const { blocks, bsize } = statfsSync(folder)
  expect(first).toBeGreaterThan(0)
  expect(first).toBeLessThanOrEqual(blocks * bsize)
  await rm(folder, { recursive: true })
  now += 999
  expect(free()).toBe(first)
  now += 1
  expect(free()).toBeUndefined()
})

test('a clock that was set back does not keep an old answer for ever', async () => {
  const folder = join(await scratchFolder(), 'state')
  let now = 1_000_000
  const free = freeSpaceOf(folder, () => now)
  expect(free()).toBeUndefined()
  await mkdir(folder)
  now = 10
  expect(free()).toBeGreaterThan(0)
})
