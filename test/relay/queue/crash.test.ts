import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

import Database from 'better-sqlite3'
import { expect, test } from 'vitest'

import { SqliteQueueStore } from '../../../src/relay/queue/sqlite-store.ts'
import { bodyOf } from '../../contract/queue-store-samples.ts'
import { cycles } from '../../support/cycles.ts'
import { scratchFolder } from '../../support/scratch.ts'
import { contentFor } from './fixtures/writer.ts'

const CYCLES = cycles(15)
const WRITER = new URL('fixtures/writer.ts', import.meta.url).pathname

/** Runs the writer until it has said enough, kills it a moment later, and returns every whole line it said. */
async function runAndKill(path: string, lines: number, moment: number): Promise<string[]> {
  const child = spawn(process.execPath, [WRITER, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  let count = 0
  await new Promise<void>((resolve, reject) => {
    child.once('exit', code => reject(new Error(`the writer ended by itself (${code})`)))
    child.stdout.on('data', (data: Buffer) => {
      said += data.toString()
      count += data.filter(octet => octet === 10).length
      if (count >= lines) resolve()
    })
  })
  await new Promise(resolve => setTimeout(resolve, moment))
  child.removeAllListeners('exit')
  child.kill('SIGKILL')
  await once(child, 'close')
  return said.split('\n').slice(0, -1)
}

interface Ledger {
  readonly put: Set<string>
  readonly settled: Set<string>
}

/** Everything the ledger says must be so. Opening the store has checked the integrity of the whole file. */
async function audit(store: SqliteQueueStore, ledger: Ledger): Promise<void> {
  for (const id of ledger.put) {
    const record = await store.find(id)
    expect(record?.message.size, id).toBe(contentFor(id).length)
    const state = record?.recipients[0]?.state
    if (ledger.settled.has(id)) expect(state, id).toBe('delivered')
    // Else it may have been settled and killed before it could say so.
    if (state === 'delivered') continue
    expect((await bodyOf(store, id)).equals(contentFor(id)), id).toBe(true)
  }
}

/** Files that are no bodies, and bodies that are no files. */
async function strangers(path: string): Promise<string[]> {
  const database = new Database(path, { readonly: true })
  const rows = database.prepare<[], string>('select name from body_file').pluck().all()
  database.close()
  const files = await readdir(path.replace('.sqlite', '.bodies'))
  return [
    ...files.filter(name => !rows.includes(name)),
    ...rows.filter(name => !files.includes(name)),
  ]
}

test(
  `${CYCLES} times killed under load: whatever was confirmed is there, whole, and what was settled stays settled`,
  { timeout: CYCLES * 8_000 },
  async () => {
    const path = join(await scratchFolder(), 'queue.sqlite')
    const whole: Ledger = { put: new Set(), settled: new Set() }
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      const ledger: Ledger = { put: new Set(), settled: new Set() }
      for (const line of await runAndKill(path, 20 + (cycle % 15) * 10, Math.random() * 25)) {
        const [what, id = ''] = line.split(' ')
        for (const one of [ledger, whole]) (what === 'put' ? one.put : one.settled).add(id)
      }
      const store = await SqliteQueueStore.open(path)
      expect(await store.counts()).toMatchObject({ active: 0 })
      // What earlier cycles left is looked at once more at the end.
      await audit(store, cycle === CYCLES - 1 ? whole : ledger)
      await store.close()
      expect(await strangers(path)).toEqual([])
    }
    expect(whole.put.size).toBeGreaterThan(CYCLES * 10)
    expect(whole.settled.size).toBeGreaterThan(0)
  },
)
