import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { WireClient } from '../conformance/wire-client.ts'
import { cycles } from '../support/cycles.ts'
import { ssha } from '../support/password.ts'
import { makeScratch } from '../support/scratch.ts'
import { ScriptedSmtp } from '../support/scripted-smtp.ts'
import { eventually } from '../support/server-process.ts'
import { RELAY_NAME, Site } from '../support/site.ts'

/*
 * A restart that was asked for: what SIGTERM does to sessions and deliveries that are under way. What a kill does is in
 * kill.test.ts.
 */

const PASSWORD = 'canary-demo'
const CYCLES = cycles(3)
const SESSIONS = 8

let folder: string
let site: Site
let next: ScriptedSmtp

beforeAll(async () => {
  folder = await makeScratch()
  next = await ScriptedSmtp.start()
  site = await Site.create(folder)
  const passwords = join(folder, 'passwords')
  await writeFile(passwords, `alice:${ssha(PASSWORD)}\n`)
  await site.configure({
    directory: `  domains: [example.org]\n  export_file: {path: ${passwords}}`,
    delivery: `  smarthost: {host: 127.0.0.1, port: ${next.port}, tls: none}\n  retry: [1s]`,
  })
  await site.start()
})

afterAll(async () => {
  await site.stop()
  await next.stop()
  await rm(folder, { recursive: true, force: true })
})

async function loggedIn(): Promise<WireClient> {
  const { submissions: port } = site.ports
  const client = await WireClient.greeted({ host: '127.0.0.1', port, tls: 'implicit' })
  expect((await client.logIn('alice', PASSWORD)).code).toBe(235)
  return client
}

async function isReady(): Promise<true | undefined> {
  const url = `http://127.0.0.1:${site.ports.admin}/readyz`
  const answer = await fetch(url).catch(() => undefined)
  return answer?.ok === true ? true : undefined
}

/** Subjects of all mail that the next hop has taken. */
function delivered(): string[] {
  return next.messages.flatMap(({ data }) => /^Subject: (\S+)\r$/m.exec(String(data))?.[1] ?? [])
}

test('a session in the middle of a message may finish it, and the others are told to come again', async () => {
  const idle = await loggedIn()
  const busy = await loggedIn()
  for (const line of ['MAIL FROM:<alice@example.org>', 'RCPT TO:<bob@example.net>']) {
    expect((await busy.command(line)).code).toBe(250)
  }
  expect((await busy.command('DATA')).code).toBe(354)
  busy.socket.write('From: alice@example.org\r\nTo: bob@example.net\r\nSubject: half-way\r\n')

  site.daemon?.signal('SIGTERM')
  // Told at once, so that its program sends elsewhere or later.
  expect((await idle.reply()).code).toBe(421)
  await expect(loggedIn()).rejects.toThrow()

  busy.socket.write('\r\nthe other half\r\n')
  expect((await busy.command('.')).code).toBe(250)
  expect(await site.daemon?.ended).toEqual({ code: 0, signal: null })

  await site.start()
  await eventually(() => delivered().includes('half-way'), 'the message')
  expect(String(next.messages.at(-1)?.data)).toContain('the other half')
})

test(
  `${CYCLES} restarts under load: nothing is lost or delivered twice, and no client is refused`,
  async () => {
    const accepted: string[] = []
    const refusals: unknown[] = []
    const over = new AbortController()
    async function send(session: number): Promise<void> {
      for (let n = 0; !over.signal.aborted; n++) {
        const transport = createTransport({
          host: '127.0.0.1',
          port: site.ports.submissions,
          secure: true,
          auth: { user: 'alice', pass: PASSWORD },
          tls: { ca: site.certificates.caPem, servername: RELAY_NAME },
        })
        const subject = `restart-${session}-${n}`
        await transport
          .sendMail({ from: 'alice@example.org', to: 'bob@example.net', subject, text: 'hello' })
          .then(
            () => accepted.push(subject),
            async (error: { responseCode?: number }) => {
              // No connection, or 421: the client comes again. A 5xx would be the end of its mail, or of its password.
              if ((error.responseCode ?? 0) >= 500 || error.responseCode === 454) {
                refusals.push(error)
              }
              await eventually(isReady, 'the relay after its restart')
            },
          )
        transport.close()
      }
    }
    const load = Promise.all(Array.from({ length: SESSIONS }, (_, session) => send(session)))
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      const enough = accepted.length + 30
      await eventually(() => accepted.length >= enough, `${enough} messages accepted`)
      expect(await site.daemon?.stop()).toEqual({ code: 0, signal: null })
      await site.start()
    }
    over.abort()
    await load
    expect(refusals).toEqual([])
    await eventually(
      async () => (await site.metric('mailcanary_relay_queue_messages')) === 0,
      'an empty queue',
    )
    const seen = delivered().filter(subject => subject.startsWith('restart-'))
    expect(accepted.filter(subject => !seen.includes(subject))).toEqual([])
    expect(seen).toHaveLength(new Set(seen).size)
    expect(await site.metric('mailcanary_relay_possible_duplicates_total')).toBe(0)
  },
  CYCLES * 30_000,
)
