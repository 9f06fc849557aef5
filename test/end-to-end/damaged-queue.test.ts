import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { SqliteQueueStore } from '../../src/relay/queue/sqlite-store.ts'
import { message, put } from '../contract/queue-store-samples.ts'
import { Daemon } from '../support/daemon.ts'
import { ssha } from '../support/password.ts'
import { freePort } from '../support/ports.ts'
import { makeScratch } from '../support/scratch.ts'
import { ScriptedSmtp } from '../support/scripted-smtp.ts'
import { eventually } from '../support/server-process.ts'
import { Site } from '../support/site.ts'

test('a damaged queue stops the start and names the way out; once that is taken its mail goes on', async () => {
  const folder = await makeScratch()
  const next = await ScriptedSmtp.start()
  const site = await Site.create(folder)
  onTestFinished(async () => {
    await site.stop()
    await next.stop()
    await rm(folder, { recursive: true, force: true })
  })
  const passwords = join(folder, 'passwords')
  await writeFile(passwords, `alice:${ssha('canary-demo')}\n`)
  const delivery = (port: number): string =>
    `  smarthost: {host: 127.0.0.1, port: ${port}, tls: none}\n  retry: [1s]`
  const directory = `  domains: [example.org]\n  export_file: {path: ${passwords}}`
  // Nobody there: what is accepted waits.
  await site.configure({ directory, delivery: delivery(await freePort()) })
  await site.start()

  const second = await Daemon.run(['run', '--relay', site.relayFile])
  expect(second.code).toBe(1)
  expect(second.output).toMatch(/held by another process|in use|already/)

  await site.stop()
  const queue = join(site.state, 'queue.sqlite')
  const store = await SqliteQueueStore.open(queue)
  await Promise.all(Array.from({ length: 200 }, () => put(store, message(['bob@example.net']))))
  await store.close()
  const content = await readFile(queue)
  const page = Math.floor(content.length / 2 / 4_096) * 4_096
  content.fill(0xff, page, page + 4_096)
  await writeFile(queue, content)

  const refused = await Daemon.run(['run', '--relay', site.relayFile])
  expect(refused.code).toBe(1)
  const command = /mailcanary (queue rescue --state \S+)/.exec(refused.output)?.[1]
  expect(command, refused.output).toBeDefined()
  const rescue = await Daemon.run((command ?? '').split(' '))
  const saved = Number(/^saved (\d+) messages, \d+ of them waiting/m.exec(rescue.output)?.[1])
  expect(saved, rescue.output).toBeGreaterThan(100)
  expect(rescue.code).toBe(/^LOST/m.test(rescue.output) ? 1 : 0)

  await site.configure({ directory, delivery: delivery(next.port) })
  await site.start()
  const waiting = Number(/(\d+) of them waiting/.exec(rescue.output)?.[1])
  const whole = waiting - (rescue.output.match(/content is not whole/g) ?? []).length
  await eventually(() => next.messages.length === whole, `${whole} deliveries`)
})

test('a large message whose file is not what was written never goes out; one that is put back does', async () => {
  const folder = await makeScratch()
  const next = await ScriptedSmtp.start()
  const site = await Site.create(folder)
  onTestFinished(async () => {
    await site.stop()
    await next.stop()
    await rm(folder, { recursive: true, force: true })
  })
  const passwords = join(folder, 'passwords')
  await writeFile(passwords, `alice:${ssha('canary-demo')}\n`)
  await site.configure({
    directory: `  domains: [example.org]\n  export_file: {path: ${passwords}}`,
    delivery: `  smarthost: {host: 127.0.0.1, port: ${next.port}, tls: none}\n  retry: [1s]`,
  })
  const queue = join(site.state, 'queue.sqlite')
  await mkdir(site.state, { recursive: true, mode: 0o700 })
  const store = await SqliteQueueStore.open(queue)
  const content = Buffer.from(`Subject: large\r\n\r\n${'large text\r\n'.repeat(30_000)}`)
  const changed = message(['bob@example.net'], Date.now())
  await put(store, changed, content)
  const [name = ''] = await readdir(join(site.state, 'queue.bodies'))
  const away = message(['carol@example.net'], Date.now())
  await put(store, away, content)
  await store.close()
  const files = (await readdir(join(site.state, 'queue.bodies'))).map(file =>
    join(site.state, 'queue.bodies', file),
  )
  const first = join(site.state, 'queue.bodies', name)
  const second = files.find(file => file !== first) ?? ''
  const octets = await readFile(first)
  octets[octets.length - 1] = (octets.at(-1) ?? 0) ^ 1
  await writeFile(first, octets)
  await rename(second, join(folder, 'away'))

  await site.start()
  const said = await site.daemon?.line(/content is not there/)
  expect(said).toContain(away.id)
  await site.daemon?.line(new RegExp(`${changed.id}.*is not what was written; put it back`))
  await site.daemon?.line(new RegExp(`${away.id}.*is not there; put it back`))
  expect(next.messages).toEqual([])
  await rename(join(folder, 'away'), second)
  const retry = await Daemon.run(['queue', 'retry', away.id, '--state', site.state])
  expect(retry.code, retry.output).toBe(0)
  await eventually(() => next.messages.length === 1, 'the message that is whole again')
  expect(next.messages[0]?.data.toString()).toContain('large text\r\n'.repeat(30_000))
})
