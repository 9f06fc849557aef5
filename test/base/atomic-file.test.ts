import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { writeAtomically } from '../../src/base/atomic-file.ts'
import { scratchFolder } from '../support/scratch.ts'

test('a file is replaced whole, and only its owner may read it', async () => {
  const path = join(await scratchFolder(), 'snapshot')
  await writeFile(path, 'old')
  await writeAtomically(path, 'new')
  expect(await readFile(path, 'utf8')).toBe('new')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
})

test('when writing fails the old file stays and nothing else is left', async () => {
  const folder = join(await scratchFolder(), 'state')
  await mkdir(folder)
  await writeFile(join(folder, 'snapshot'), 'old')
  // A folder of the same name cannot be replaced by a file.
  await mkdir(join(folder, 'taken'))
  await expect(writeAtomically(join(folder, 'taken'), 'new')).rejects.toThrow(/EISDIR|ENOTEMPTY/)
  await chmod(folder, 0o700)
  expect(await readdir(folder)).toEqual(['snapshot', 'taken'])
})
