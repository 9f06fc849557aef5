import childProcess, { ChildProcess } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

/*
 * Loaded before a program (NODE_OPTIONS=--import): notes the command line of every child it starts in the file RECORD_CHILDREN.
 * Looking at the process list from time to time would miss those that live for some milliseconds.
 */

const path = process.env['RECORD_CHILDREN'] ?? ''

function record(words: readonly unknown[]): void {
  appendFileSync(path, `${JSON.stringify(words)}\n`)
}

const prototype = ChildProcess.prototype as unknown as {
  spawn(options: { readonly args?: readonly string[] }): unknown
}
const { spawn } = prototype
prototype.spawn = function spawnRecorded(options) {
  record(options.args ?? [])
  return spawn.call(this, options)
}

const module = childProcess as unknown as Record<string, (...args: readonly unknown[]) => unknown>
for (const name of ['spawnSync', 'execFileSync', 'execSync']) {
  const original = module[name]
  if (original === undefined) continue
  module[name] = (...args) => {
    record(args.slice(0, 2))
    return original(...args)
  }
}
syncBuiltinESMExports()
