import { execFileSync } from 'node:child_process'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { SqliteQueueStore } from '../../../src/relay/queue/sqlite-store.ts'
import { StoreUnavailable } from '../../../src/relay/queue/store.ts'
import {
  bodyOf,
  DELIVERED,
  lease,
  message,
  put,
  settlement,
} from '../../contract/queue-store-samples.ts'
import { makeScratch } from '../../support/scratch.ts'

/** A file system of this many MiB for one test, or undefined where we may not mount one. */
async function tinyDisk(mebibytes: number): Promise<string | undefined> {
  const folder = await makeScratch()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', folder], {
      stdio: 'ignore',
    })
  } catch {
    await rm(folder, { recursive: true })
    return undefined
  }
  onTestFinished(async () => {
    execFileSync('umount', [folder])
    await rm(folder, { recursive: true })
  })
  return folder
}

test('a full disk is a shortage: what was confirmed stays, and all goes on when there is room', async context => {
  const folder = await tinyDisk(8)
  if (folder === undefined) {
    process.stderr.write('skipped: needs root, to mount a small file system\n')
    return context.skip()
  }
  const ballast = join(folder, 'ballast')
  await writeFile(ballast, Buffer.alloc(2 * 1024 * 1024))
  const store = await SqliteQueueStore.open(join(folder, 'queue.sqlite'))
  onTestFinished(() => store.close())
  const content = Buffer.alloc(30_000, 'x')
  const confirmed: string[] = []
  const failure = await (async (): Promise<unknown> => {
    for (;;) {
      const made = message([`x@d${confirmed.length}.example.net`])
      try {
        await put(store, made, content)
      } catch (error) {
        return error
      }
      confirmed.push(made.id)
    }
  })()
  expect(failure).toBeInstanceOf(StoreUnavailable)
  expect(failure).toMatchObject({ full: true })
  expect(confirmed.length).toBeGreaterThan(20)
  const large = store.newBody()
  await expect(large.write(Buffer.alloc(3_000_000))).rejects.toMatchObject({
    name: 'StoreUnavailable',
    full: true,
  })
  await expect(store.put(message(['x@example.net']), large)).rejects.toThrow(/was not stored/)
  await large.abort()
  await expect(store.put(message(['x@example.net']), large)).rejects.toThrow()
  expect(await readdir(join(folder, 'queue.bodies'))).toEqual([])
  for (const id of confirmed) expect((await bodyOf(store, id)).equals(content)).toBe(true)

  await rm(ballast)
  const leases = await lease(store, undefined, { limit: 1_000 })
  expect(leases).toHaveLength(confirmed.length)
  for (const leased of leases)
    expect(await store.settle(leased, settlement(leased, DELIVERED))).toBe(true)
  for (const size of [content.length, 1_000_000]) {
    const octets = Buffer.alloc(size, 'y')
    const made = await put(store, message(['bob@example.net']), octets)
    expect((await bodyOf(store, made.id)).equals(octets)).toBe(true)
  }
})
