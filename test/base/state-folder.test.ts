import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { Problem } from '../../src/base/problem.ts'
import { StateFolder } from '../../src/base/state-folder.ts'
import { scratchFolder } from '../support/scratch.ts'

const HOLDER = `
  import { StateFolder } from ${JSON.stringify(new URL('../../src/base/state-folder.ts', import.meta.url).href)}
  await StateFolder.open(process.argv[1])
  console.log('held')
  setInterval(() => undefined, 1000)
`

test('an absent folder is created for its owner alone', async () => {
  const path = join(await scratchFolder(), 'var', 'state')
  const folder = await StateFolder.open(path)
  onTestFinished(() => folder.close())
  expect((await stat(path)).mode & 0o777).toBe(0o700)
  expect((await stat(folder.file('lock.sqlite'))).mode & 0o777).toBe(0o600)
})

test('a folder held by another process is refused by name, and free once that process is killed', async () => {
  const path = await scratchFolder()
  const child = spawn(process.execPath, ['--input-type=module', '-e', HOLDER, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  const refused = await StateFolder.open(path).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(Problem)
  expect(String(refused)).toContain(`${path} is in use by another mailcanary`)
  child.kill('SIGKILL')
  await once(child, 'exit')
  const folder = await StateFolder.open(path)
  folder.close()
})

test('a folder held by this process is refused until it is closed', async () => {
  const path = await scratchFolder()
  const first = await StateFolder.open(path)
  await expect(StateFolder.open(path)).rejects.toThrow(/is in use/)
  first.close()
  first.close()
  const second = await StateFolder.open(path)
  second.close()
})

test('a file in the place of the folder is named', async () => {
  const path = join(await scratchFolder(), 'state')
  await writeFile(path, '')
  await expect(StateFolder.open(path)).rejects.toThrow(`${path} is not a folder`)
  await expect(StateFolder.open(join(path, 'below'))).rejects.toThrow('is not a folder')
})

test.skipIf(process.getuid?.() === 0)('a folder that is not writable is named', async () => {
  const path = join(await scratchFolder(), 'state')
  await mkdir(path)
  await chmod(path, 0o500)
  await expect(StateFolder.open(path)).rejects.toThrow(`${path} is not writable`)
})

test('a damaged lock file is named with its cure', async () => {
  const path = await scratchFolder()
  await writeFile(join(path, 'lock.sqlite'), 'x'.repeat(2_000))
  await expect(StateFolder.open(path)).rejects.toThrow(/lock\.sqlite is damaged.*remove it/)
})
