import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { ssha } from '../support/password.ts'
import { freePort } from '../support/ports.ts'
import { makeScratch } from '../support/scratch.ts'
import { eventually } from '../support/server-process.ts'
import { Site } from '../support/site.ts'

const PROGRAM = new URL('../../dist/main.js', import.meta.url).pathname

let folder: string
let site: Site

beforeAll(async () => {
  folder = await makeScratch()
  site = await Site.create(folder)
  const passwords = join(folder, 'passwords')
  await writeFile(passwords, `alice:${ssha('canary-demo')}\n`)
  await site.configure({
    directory: `  domains: [example.org]\n  export_file: {path: ${passwords}}`,
    delivery: `  smarthost: {host: 127.0.0.1, port: ${await freePort()}, tls: none}`,
  })
})

afterAll(() => rm(folder, { recursive: true, force: true }))

/** What a daemon writes to its standard output from start to stop. @param told what systemd says of where that goes */
async function logOf(name: string, told: (dev: bigint, ino: bigint) => string): Promise<string[]> {
  const path = join(folder, name)
  const file = await open(path, 'w')
  const { dev, ino } = await file.stat({ bigint: true })
  const child = spawn(process.execPath, [PROGRAM, 'run', '--relay', site.relayFile], {
    stdio: ['ignore', file.fd, 'inherit'],
    env: { ...process.env, JOURNAL_STREAM: told(dev, ino) },
  })
  const ended = once(child, 'exit')
  const says = async (): Promise<boolean> => (await readFile(path, 'utf8')).includes(' runs;')
  await eventually(async () => ((await says()) ? true : undefined), 'the start')
  child.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
  await file.close()
  return (await readFile(path, 'utf8')).trimEnd().split('\n')
}

test('to the journal go lines for people, with their priority and without the time', async () => {
  const lines = await logOf('journal', (dev, ino) => `${dev}:${ino}`)
  expect(lines.every(line => /^<[3467]>\w/.test(line))).toBe(true)
  expect(lines).toContainEqual(expect.stringMatching(/^<6>relay {6}submissions listens on 127/))
  expect(lines.at(-1)).toBe('<6>mailcanary stopped')
})

test('where systemd speaks of another stream, it is JSON with the time', async () => {
  const lines = await logOf('file', (dev, ino) => `${dev}:${ino + 1n}`)
  expect(lines.every(line => line.startsWith('{"level":"info","time":"2'))).toBe(true)
  expect(lines.length).toBeGreaterThan(3)
})
