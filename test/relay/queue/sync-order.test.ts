import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { scratchFolder } from '../../support/scratch.ts'
import { findProgram, missing } from '../../support/server-process.ts'
import { contentFor, LARGE } from './fixtures/writer.ts'

const WRITER = new URL('fixtures/writer.ts', import.meta.url).pathname
const CALLS = 'trace=fdatasync,fsync,write,writev,pwrite64'
const CALL = /^(?<thread>\d+) +(?<call>\w+)\(\d+<(?<path>[^>]*)>(?:, "(?<text>[^"]*))?/
const RESUMED = /^(?<thread>\d+) +<\.\.\. \w+ resumed>/

interface Step {
  readonly what: 'begins' | 'ends'
  readonly call: string
  readonly path: string
  /** The begin of what is written. */
  readonly text: string
}

/** When each system call began and when it ended; those of several threads overlap. */
function* steps(log: string): Generator<Step> {
  const open = new Map<string, Omit<Step, 'what'>>()
  for (const line of log.split('\n')) {
    const resumed = RESUMED.exec(line)?.groups?.['thread'] ?? ''
    const ended = open.get(resumed)
    open.delete(resumed)
    if (ended !== undefined) yield { what: 'ends', ...ended }
    const { thread = '', call = '', path = '', text = '' } = CALL.exec(line)?.groups ?? {}
    if (call === '') continue
    yield { what: 'begins', call, path, text }
    if (line.endsWith('<unfinished ...>')) open.set(thread, { call, path, text })
    else yield { what: 'ends', call, path, text }
  }
}

/** What a power loss at any moment would leave, and what had been confirmed by then. */
class Disk {
  #unsynced = 0
  /** Large bodies whose content is on the disk, and those whose name is, too. */
  readonly #content = new Set<string>()
  readonly #named = new Set<string>()
  #beingNamed: string[] = []
  /** How many large bodies had been on the disk when the commit began that is on the disk now; and that is being written. */
  #committed = 0
  #committing = 0
  confirmed = 0
  large = 0
  readonly early: string[] = []

  step({ what, call, path, text }: Step): void {
    const sync = call === 'fdatasync' || call === 'fsync'
    const file = /\.bodies\/[0-9a-f]{32}$/.test(path)
    if (path.endsWith('.bodies') && sync) {
      if (what === 'begins') this.#beingNamed = [...this.#content]
      else for (const name of this.#beingNamed) this.#named.add(name)
    } else if (file && sync) {
      if (what === 'ends') this.#content.add(path)
    } else if (file) {
      if (this.#content.has(path)) this.early.push(`written after it was synced: ${path}`)
    } else if (/\.sqlite(?:-wal)?$/.test(path)) {
      if (sync && what === 'ends') {
        this.#unsynced = 0
        this.#committed = this.#committing
      } else if (!sync && what === 'begins' && this.#unsynced++ === 0) {
        this.#committing = this.#named.size
      }
    } else if (call === 'write' && what === 'begins') this.#confirm(text)
  }

  #confirm(text: string): void {
    const [, done, id = ''] = /^(put|settled) (\S+)/.exec(text.replace('\\n', '')) ?? []
    if (done === undefined) return
    this.confirmed++
    if (this.#unsynced > 0) this.early.push(`before the commit was synced: ${text}`)
    if (done === 'settled' || contentFor(id).length < LARGE) return
    this.large++
    if (this.large > this.#committed)
      this.early.push(`committed before its file was synced: ${text}`)
  }
}

// `kill -9` cannot show this: what the kernel has survives it. Only a power loss, or the order of system calls, can.
test.skipIf(missing('strace'))(
  'nothing is confirmed before the disk has been told to keep it: large bodies, then their names, then the commit',
  async () => {
    const folder = await scratchFolder()
    const log = join(folder, 'strace.log')
    const args = ['-f', '-y', '-s', '32', '-e', CALLS, '-o', log, process.execPath, WRITER]
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
        if (lines >= 300) resolve()
      })
    })
    process.kill(-(child.pid ?? 0), 'SIGKILL')
    await once(child, 'close')
    const disk = new Disk()
    for (const step of steps(await readFile(log, 'utf8'))) disk.step(step)
    expect(disk.confirmed).toBeGreaterThan(200)
    expect(disk.large).toBeGreaterThan(3)
    expect(disk.early).toEqual([])
  },
)
