import { execFile } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { describe, expect, test } from 'vitest'

import { Daemon } from '../support/daemon.ts'
import { anyPortBase } from '../support/ports.ts'
import { makeScratch } from '../support/scratch.ts'
import { missing } from '../support/server-process.ts'

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '..', '..')
const UNIT = join(ROOT, 'deploy', 'systemd', 'mailcanary.service')

/**
 * What the daemon tries though the unit forbids it, and can do without: libuv falls back to threads where it may not use
 * io_uring, and SQLite gives its files to the folder's owner only where it runs as root, as in this test.
 */
const FORGOES = new Set(['io_uring_setup', 'io_uring_enter', 'io_uring_register', 'fchown'])

describe.skipIf(missing('systemd-analyze', 'strace'))('the systemd unit', () => {
  test('is sandboxed, by the judgement of systemd', async () => {
    const { stdout } = await run('systemd-analyze', ['security', '--offline=true', UNIT])
    const level = Number(/exposure level for mailcanary\.service: ([0-9.]+)/.exec(stdout)?.[1])
    // 10 is no protection at all; what remains is the network, and a compiler that V8 is.
    expect(level).toBeLessThanOrEqual(2)
  })

  test('forbids no system call that the whole system makes', async () => {
    const folder = await makeScratch()
    const record = join(folder, 'calls')
    const demo = ['demo', '--for', '5s', '--state', join(folder, 'state')]
    const traced = ['strace', '-f', '-qq', '-o', record, join(ROOT, 'bin', 'mailcanary')]
    const daemon = Daemon.startAs([...traced, ...demo, '--port-base', String(await anyPortBase())])
    expect(await daemon.ended).toEqual({ code: 0, signal: null })
    const made = new Set(
      [...(await readFile(record, 'utf8')).matchAll(/^\d+ +([a-z_0-9]+)\(/gm)].map(
        ([, call = '']) => call,
      ),
    )
    expect(made.size).toBeGreaterThan(50)
    const allowed = await allowedCalls(await readFile(UNIT, 'utf8'))
    expect([...made].filter(call => !allowed.has(call) && !FORGOES.has(call))).toEqual([])
    await rm(folder, { recursive: true, force: true })
  })
})

/** The system calls that the lines SystemCallFilter= of a unit let through; a line with ~ takes away. */
async function allowedCalls(unit: string): Promise<ReadonlySet<string>> {
  const { stdout } = await run('systemd-analyze', ['syscall-filter', '--no-pager'])
  const sets = new Map<string, string[]>()
  let current: string[] = []
  for (const line of stdout.split('\n')) {
    if (line.startsWith('@')) sets.set(line.trim(), (current = []))
    else if (/^ {4}[@a-z_]/.test(line)) current.push(line.trim())
  }
  const callsOf = (name: string): string[] =>
    name.startsWith('@') ? (sets.get(name) ?? []).flatMap(callsOf) : [name]
  const allowed = new Set<string>()
  for (const [, text = ''] of unit.matchAll(/^SystemCallFilter=(.*)$/gm)) {
    const takesAway = text.startsWith('~')
    for (const call of text.replace('~', '').split(' ').flatMap(callsOf)) {
      if (takesAway) allowed.delete(call)
      else allowed.add(call)
    }
  }
  return allowed
}
