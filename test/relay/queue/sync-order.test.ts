import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { scratchFolder } from '../../support/scratch.ts'
import { findProgram, missing } from '../../support/server-process.ts'

const WRITER = new URL('fixtures/writer.ts', import.meta.url).pathname
const CALLS = 'trace=fdatasync,fsync,write,pwrite64'

// `kill -9` cannot show this: what the kernel has survives it. Only a power loss, or the order of system calls, can.
test.skipIf(missing('strace'))(
  'nothing is confirmed before the disk has been told to keep it',
  async () => {
    const folder = await scratchFolder()
    const log = join(folder, 'strace.log')
    const args = ['-f', '-s', '16', '-e', CALLS, '-o', log, process.execPath, WRITER]
    const child = spawn(
      findProgram('strace') ?? 'strace',
      [...args, join(folder, 'queue.sqlite')],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
        // A group of its own, so that the traced process ends with its tracer.
        detached: true,
      },
    )
    let lines = 0
    await new Promise<void>(resolve => {
      child.once('exit', () => resolve())
      child.stdout.on('data', (data: Buffer) => {
        lines += data.filter(octet => octet === 10).length
        if (lines >= 200) resolve()
      })
    })
    process.kill(-(child.pid ?? 0), 'SIGKILL')
    await once(child, 'close')
    let unsynced = 0
    const early: string[] = []
    let confirmed = 0
    for (const line of (await readFile(log, 'utf8')).split('\n')) {
      if (/\bpwrite64\(/.test(line)) unsynced++
      // Its end: where others run meanwhile strace tells of it in two lines.
      else if (/\bf(?:data)?sync(?:\(| resumed).* = 0$/.test(line)) unsynced = 0
      else if (/\bwrite\(1, "(?:put|settled) /.test(line)) {
        confirmed++
        if (unsynced > 0) early.push(line)
      }
    }
    expect(confirmed).toBeGreaterThan(100)
    expect(early).toEqual([])
  },
)
