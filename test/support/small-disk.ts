import { execFileSync } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'

import { makeScratch } from './scratch.ts'

export interface SmallDisk {
  readonly folder: string
  /** As the kernel does when the disk fails under a journal: from now on every write is an error. */
  fail(): void
  /** Takes the disk out and puts it in again, as after a repair. Nobody may have a file open on it. */
  repair(): void
  remove(): Promise<void>
}

/** A file system of its own of so many MiB, or the reason why there can be none here. */
export async function smallDisk(mebibytes: number): Promise<SmallDisk | string> {
  const scratch = await makeScratch()
  const image = join(scratch, 'image')
  const folder = join(scratch, 'disk')
  const mount = (): void => run('mount', '-o', 'loop', image, folder)
  try {
    run('mkdir', folder)
    run('truncate', '-s', `${mebibytes}M`, image)
    run('mkfs.ext4', '-q', '-F', '-m', '0', image)
    mount()
  } catch {
    await rm(scratch, { recursive: true })
    return 'needs root and loop devices, to mount a small file system'
  }
  return {
    folder,
    fail: () => run('mount', '-o', 'remount,abort', folder),
    repair() {
      run('umount', folder)
      // Replays the journal; exit code 1 is "repaired".
      run('sh', '-c', 'e2fsck -p "$1" || [ $? -eq 1 ]', 'sh', image)
      mount()
    },
    async remove() {
      run('umount', folder)
      await rm(scratch, { recursive: true })
    },
  }
}

function run(program: string, ...args: readonly string[]): void {
  execFileSync(program, args, { stdio: 'ignore' })
}
