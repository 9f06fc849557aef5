import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import type { TestProject } from 'vitest/node'

import { makeScratch } from '../support/scratch.ts'
import { findProgram, missing } from '../support/server-process.ts'
import { NO_SYNC } from './root-system.ts'

const run = promisify(execFile)

const SUITE = 'bookworm'

declare module 'vitest' {
  interface ProvidedContext {
    /** A folder with a minimal Debian that the tests copy, or '' where none can be made. */
    readonly baseSystem: string
    /** Why there is none. */
    readonly baseSystemMissing: string
  }
}

/** Makes the minimal Debian that every test starts from, once for all of them. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const reason =
    missing('debootstrap', 'dpkg-deb') ??
    (process.getuid?.() === 0 ? undefined : 'needs root: a root file system of its own is made')
  project.provide('baseSystemMissing', reason ?? '')
  const folder = await makeScratch()
  const root = join(folder, 'debian')
  if (reason === undefined) {
    // What a Debian server has in any case; the rest is what the package says that it needs.
    const packages = [
      'adduser',
      'init-system-helpers',
      'libcrypt1',
      'libstdc++6',
      'ca-certificates',
    ]
    await run(
      findProgram('debootstrap') ?? '',
      ['--variant=minbase', `--include=${packages.join(',')}`, SUITE, root, await mirror()],
      { maxBuffer: 16 * 1024 * 1024, env: { ...process.env, ...NO_SYNC } },
    )
  }
  project.provide('baseSystem', reason === undefined ? root : '')
  return () => rm(folder, { recursive: true, force: true })
}

/** Where this machine has its own Debian from. */
async function mirror(): Promise<string> {
  const { stdout } = await run('apt-get', [
    'indextargets',
    '--format',
    '$(SITE) $(RELEASE) $(COMPONENT)',
  ])
  const line = stdout.split('\n').find(text => text.endsWith(` ${SUITE} main`))
  if (line === undefined) throw new Error(`apt knows no source of Debian's ${SUITE}`)
  return line.split(' ')[0] ?? ''
}
