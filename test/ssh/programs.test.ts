import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'

import { expect, onTestFinished, test } from 'vitest'

import { authorizedKeys } from '../../src/ssh/authorized-keys.ts'
import { EX } from '../../src/ssh/sysexits.ts'
import { ALICE, run } from '../relay/submission/fixture.ts'
import { scratchFolder } from '../support/scratch.ts'
import { finished } from '../support/sshd.ts'

const PROGRAM = new URL('../../dist/main.js', import.meta.url).pathname
const HOOK = new URL('fixtures/loaded-modules.ts', import.meta.url).href
const FINGERPRINT = `SHA256:${'A'.repeat(43)}`

async function relay() {
  const path = join(await scratchFolder(), 'submit.sock')
  const running = await run({
    listeners: [
      {
        name: 'ssh',
        host: '',
        port: 0,
        tls: 'none',
        socket: {
          path,
          entrust: () => ({ kind: 'accepted', principal: ALICE }),
          ownerOfKey: () => ({ login: 'alice', key: 'ssh-ed25519 AAAA' }),
        },
      },
    ],
  })
  return { path, ...running }
}

function start(...args: readonly string[]) {
  return spawn(process.execPath, [PROGRAM, ...args])
}

test.each(['sendmail', 'authorized-keys'])('%s loads next to nothing', async name => {
  const { path } = await relay()
  const args =
    name === 'sendmail'
      ? ['--as', 'alice', '--socket', path, 'bob@example.net']
      : ['--socket', path, FINGERPRINT]
  const list = join(await scratchFolder(), 'modules')
  const child = spawn(process.execPath, ['--import', HOOK, PROGRAM, name, ...args], {
    env: { ...process.env, MODULES: list },
  })
  expect(await finished(child, 'Subject: x\n\ny\n')).toMatchObject({ code: 0, stderr: '' })
  const modules = (await readFile(list, 'utf8')).trim().split('\n')
  expect(modules.filter(url => url.includes('node_modules'))).toEqual([])
  const own = modules
    .filter(url => url.startsWith('file:'))
    .map(url => url.replace(/^.*\/dist\//, ''))
  expect(own).toContain('ssh/main.js')
  // What a new import brings along is to be seen here.
  expect(own.length).toBeLessThan(25)
  expect(
    own.filter(
      file =>
        !/^(?:main|ssh\/|base\/(?:problem|submit-socket)|mail\/|directory\/ssh-key|relay\/transport\/)/.test(
          file,
        ),
    ),
  ).toEqual([])
  // Neither a database nor a thread nor the network.
  expect(
    modules.filter(url => /sqlite|worker_threads|node:https?$|node:tls|node:dns/.test(url)),
  ).toEqual([])
})

test('a message of any size passes through little memory', async () => {
  const { path, store } = await relay()
  const child = start('sendmail', '--as', 'alice', '--socket', path, '-i', 'bob@example.net')
  let status = ''
  async function* message(): AsyncGenerator<Buffer> {
    yield Buffer.from('Subject: large\n\n')
    for (let i = 0; i < 400; i++) yield Buffer.from(`${'x'.repeat(70)}\n`.repeat(1_000))
    status = await readFile(`/proc/${child.pid}/status`, 'utf8')
  }
  expect(await finished(child, Readable.from(message()))).toMatchObject({ code: 0 })
  expect(store.only.body.length).toBeGreaterThan(28_000_000)
  // Node alone takes 50 MB; the message has 28.
  const peak = Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024
  expect(peak).toBeLessThan(95)
})

test('authorized-keys allows nothing but sendmail as the key’s owner', async () => {
  const { path } = await relay()
  const ask = (...args: readonly string[]) =>
    finished(
      start('authorized-keys', '--socket', path, '--command', '/usr/bin/mailcanary', ...args),
    )
  const line = `restrict,command="exec /usr/bin/mailcanary sendmail --ssh --as alice --socket ${path}" ssh-ed25519 AAAA\n`
  expect(await ask(FINGERPRINT)).toEqual({ code: 0, stdout: line, stderr: '' })
  expect(await ask('submit', 'ssh-ed25519', 'AAAAC3NzaC1lZDI1NTE5')).toMatchObject({ stdout: line })
  expect(await ask('root', FINGERPRINT)).toEqual({ code: 0, stdout: '', stderr: '' })
  expect(await ask('submit')).toMatchObject({ code: 64, stdout: '' })
})

test('both say how they are used', async () => {
  for (const name of ['sendmail', 'authorized-keys']) {
    const { code, stdout } = await finished(start(name, '--help'))
    expect(code).toBe(0)
    expect(stdout).toContain('Example')
  }
})

test('who asks whose a key is does not wait for a relay that hangs', async () => {
  const path = join(await scratchFolder(), 'submit.sock')
  // As a process that was stopped: connections are made, and nothing is said.
  const server = createServer().listen(path)
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const said: string[] = []
  const asking = authorizedKeys(
    ['--socket', path, FINGERPRINT],
    '/usr/bin/mailcanary',
    line => said.push(line),
    20,
  )
  await expect(asking).rejects.toMatchObject({
    code: EX.tempFail,
    message: 'the relay does not answer',
  })
  expect(said).toEqual([])
})
