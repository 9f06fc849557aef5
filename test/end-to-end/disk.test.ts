import { createWriteStream } from 'node:fs'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

import { createTransport } from 'nodemailer'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { ssha } from '../support/password.ts'
import { makeScratch } from '../support/scratch.ts'
import { ScriptedSmtp, type Deed } from '../support/scripted-smtp.ts'
import { eventually } from '../support/server-process.ts'
import { RELAY_NAME, Site } from '../support/site.ts'
import { smallDisk, type SmallDisk } from '../support/small-disk.ts'

const PASSWORD = 'canary-demo'
const LATER = '451 4.3.2 Later'
/** Of a message that becomes a file of its own. */
const LARGE = 'large text '.repeat(30_000)

const found = await smallDisk(24)
if (typeof found === 'string') process.stderr.write(`skipped: ${found}\n`)
else await found.remove()

/* The built program with its state on a disk that gets full, or fails. */
describe.skipIf(typeof found === 'string')('the relay on a disk', () => {
  const deeds: { MAIL: Deed } = { MAIL: LATER }
  let folder: string
  let disk: SmallDisk
  let site: Site
  let next: ScriptedSmtp

  beforeEach(async () => {
    folder = await makeScratch()
    const made = await smallDisk(24)
    if (typeof made === 'string') throw new Error(made)
    disk = made
    site = await Site.create(folder, join(disk.folder, 'state'))
    deeds.MAIL = LATER
    next = await ScriptedSmtp.start({ deeds })
    const passwords = join(folder, 'passwords')
    await writeFile(passwords, `alice:${ssha(PASSWORD)}\n`)
    await site.configure({
      directory: `  domains: [example.org]\n  export_file: {path: ${passwords}}`,
      delivery: `  smarthost: {host: 127.0.0.1, port: ${next.port}, tls: none}\n  retry: [1s]`,
    })
    await site.start()
  })

  afterEach(async () => {
    await site.stop()
    await next.stop()
    await disk.remove()
    await rm(folder, { recursive: true, force: true })
  })

  /** @returns the code and enhanced code of the last reply, and the subject */
  async function send(text = 'hello'): Promise<{ reply: string; subject: string }> {
    const subject = `ledger-${crypto.randomUUID()}`
    const transport = createTransport({
      host: '127.0.0.1',
      port: site.ports.submissions,
      secure: true,
      auth: { user: 'alice', pass: PASSWORD },
      tls: { ca: site.certificates.caPem, servername: RELAY_NAME },
    })
    const mail = { from: 'alice@example.org', to: 'bob@example.net', subject, text }
    const said = await transport.sendMail(mail).then(
      ({ response }) => response,
      (error: { response?: string }) => error.response ?? 'no reply',
    )
    return { reply: /^\d{3} \d\.\d\.\d/.exec(said)?.[0] ?? said, subject }
  }

  async function accepted(count: number): Promise<string[]> {
    const ledger: string[] = []
    for (let i = 0; i < count; i++) {
      const { reply, subject } = await send(i === 0 ? LARGE : 'hello')
      expect(reply).toBe('250 2.0.0')
      ledger.push(subject)
    }
    return ledger
  }

  async function readiness(): Promise<{ status: number; text: string }> {
    const answer = await fetch(`http://127.0.0.1:${site.ports.admin}/readyz`)
    return { status: answer.status, text: await answer.text() }
  }

  const subjects = (): string[] =>
    next.messages.map(({ data }) => /^Subject: (.*)\r$/m.exec(data.toString())?.[1] ?? '')

  /** Everything that was answered with 250 has arrived, once. */
  async function allOnce(ledger: readonly string[]): Promise<void> {
    await eventually(() => subjects().length >= ledger.length, 'everything at the next hop')
    await eventually(
      async () => (await site.metric('mailcanary_relay_queue_messages')) === 0,
      'an empty queue',
    )
    expect(subjects().toSorted()).toEqual([...ledger].toSorted())
  }

  test('that is full says 452 and not ready, and goes on by itself when there is room again', async () => {
    const ledger = await accepted(5)
    const ballast = join(disk.folder, 'ballast')
    await fill(ballast)
    // The free space is looked at now and then: what the log of the database still has room for is taken, and kept.
    await eventually(async () => {
      const { reply, subject } = await send()
      if (reply === '250 2.0.0') ledger.push(subject)
      else expect(reply).toBe('452 4.3.1')
      return reply !== '250 2.0.0'
    }, 'a full disk')
    await eventually(async () => (await readiness()).status === 503, 'that it is not ready')
    expect(await readiness()).toMatchObject({
      status: 503,
      text: expect.stringMatching(/no space left|disk is full/) as string,
    })
    expect((await send(LARGE)).reply).toBe('452 4.3.1')
    // The one that was accepted, and nothing of those that were not.
    expect(await readdir(join(site.state, 'queue.bodies'))).toHaveLength(1)
    // Results still find room, or wait until they do: in no case is anything delivered twice.
    deeds.MAIL = '250 2.1.0 OK'
    await rm(ballast)
    await eventually(async () => (await readiness()).status === 200, 'readiness')
    ledger.push(...(await accepted(1)))
    await allOnce(ledger)
  })

  test('that fails says 451 and not ready, delivers nothing, and has lost nothing after the repair', async () => {
    const ledger = await accepted(5)
    disk.fail()
    expect((await send()).reply).toMatch(/^45[12] 4\.3\.[01]$/)
    expect((await readiness()).status).toBe(503)
    await site.daemon?.line(/queue runner.*fault/)
    // All of it is due, and the next hop would take it; but that could not be written down.
    const before = next.commands.length
    deeds.MAIL = '250 2.1.0 OK'
    for (const text of ['hello', 'hello', LARGE])
      expect((await send(text)).reply).toMatch(/^45[12]/)
    expect(next.commands.slice(before).filter(line => line.startsWith('MAIL'))).toEqual([])
    expect(next.messages).toEqual([])
    const { code } = (await site.daemon?.stop()) ?? {}
    expect(code).toBe(0)
    disk.repair()
    await site.start()
    await allOnce(ledger)
  })
})

/** Writes until there is no room. */
async function fill(path: string): Promise<void> {
  const endless = function* (): Generator<Buffer> {
    for (;;) yield Buffer.alloc(4_096)
  }
  await expect(pipeline(endless, createWriteStream(path))).rejects.toThrow('ENOSPC')
}
