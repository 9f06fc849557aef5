import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { Daemon } from '../support/daemon.ts'
import { ssha } from '../support/password.ts'
import { makeScratch } from '../support/scratch.ts'
import { ScriptedSmtp } from '../support/scripted-smtp.ts'
import { eventually } from '../support/server-process.ts'
import { RELAY_NAME, Site } from '../support/site.ts'

/*
 * One run with everything that happens to people: mail that arrives, that bounces, that waits; wrong passwords, logins
 * that do not exist, senders that are not theirs. Then what is in the log, and what is left in the files.
 */
const PASSWORD = 'canary-demo'
const ENDED = 'letter-that-ended'
const WAITING = 'letter-that-waits'

let folder: string
let site: Site
let next: ScriptedSmtp

beforeAll(async () => {
  folder = await makeScratch()
  site = await Site.create(folder)
  next = await ScriptedSmtp.start({
    deeds: {
      RCPT: [
        '250 2.1.5 OK',
        '550 5.1.1 no such user: <bob.recipient@example.net>, "bob recipient"@example.net',
        // The report about it.
        '250 2.1.5 OK',
        '451 4.2.0 bob.recipient@example.net is greylisted',
      ],
    },
  })
  const passwords = join(folder, 'passwords')
  await writeFile(passwords, `alice:${ssha(PASSWORD)}\ncarol:${ssha(PASSWORD)}\n`)
  await site.configure({
    directory: `  domains: [example.org]\n  export_file: {path: ${passwords}}`,
    delivery: `  smarthost: {host: 127.0.0.1, port: ${next.port}, tls: none}`,
  })
  await site.start()
})

afterAll(async () => {
  await site.stop()
  await next.stop()
  await rm(folder, { recursive: true, force: true })
})

/** @returns what the client was told */
async function submit(
  user: string,
  mail: { from?: string; to?: string; content?: string; pass?: string },
): Promise<string> {
  const { from = 'alice@example.org', to = 'bob.recipient@example.net', content = ENDED } = mail
  const transport = createTransport({
    host: '127.0.0.1',
    port: site.ports.submissions,
    secure: true,
    name: 'client-of-alice.example.org',
    auth: { user, pass: mail.pass ?? PASSWORD },
    tls: { ca: site.certificates.caPem, servername: RELAY_NAME },
  })
  try {
    const sent = await transport.sendMail({
      from,
      to,
      subject: `subject of ${content}`,
      text: content,
    })
    return sent.response
  } catch (error) {
    return String(error)
  } finally {
    transport.close()
  }
}

/** The files below the state folder in which a text stands. */
async function traces(text: string): Promise<readonly string[]> {
  const entries = await readdir(site.state, { recursive: true })
  const found: string[] = []
  for (const entry of entries) {
    const path = join(site.state, entry)
    if ((await stat(path)).isFile() && (await readFile(path)).includes(text)) found.push(entry)
  }
  return found
}

const happened = (name: string, labels: string, n: number): Promise<unknown> =>
  eventually(
    async () => ((await site.metric(name, labels)) >= n ? true : undefined),
    `${n} of ${name}{${labels}}`,
  )

/** The pseudonym that follows these words in the first line that has both. */
async function pseudonymAfter(words: string): Promise<string> {
  const pattern = new RegExp(`${words} ?<?(~[0-9a-z]{8})`)
  return pattern.exec((await site.daemon?.line(pattern)) ?? '')?.[1] ?? ''
}

const who = (pseudonym: string): ReturnType<typeof Daemon.run> =>
  Daemon.run(['who', pseudonym, '--state', site.state])

test('all this happens', async () => {
  expect(await submit('alice', {})).toMatch(/^250 /)
  await happened('mailcanary_relay_recipients_total', 'final="delivered"', 1)
  expect(await submit('alice', {})).toMatch(/^250 /)
  await happened('mailcanary_relay_recipients_total', 'final="delivered"', 2)
  expect(await submit('alice', { content: WAITING })).toMatch(/^250 /)
  await happened('mailcanary_relay_attempts_total', 'outcome="deferred"', 1)
  expect(await submit('carol', { pass: 'wrong-password' })).toMatch(/535/)
  expect(await submit('mallory@example.org', {})).toMatch(/535/)
  expect(await submit('alice', { from: 'carol@example.org' })).toMatch(/550/)
  // The last line of all this: what is asserted below has been printed by then.
  await site.daemon?.line(/"event":"message-refused"/)
  expect(await site.metric('mailcanary_relay_recipients_total', 'final="bounced"')).toBe(1)
})

test('the log names nobody, no address, no subject, no content, no password', () => {
  const { said } = site
  for (const event of [
    'message-accepted',
    'attempt',
    'message-refused',
    'login',
    'report-queued',
  ]) {
    expect(said).toContain(`"event":"${event}"`)
  }
  expect(said).toContain('no such user')
  expect(said).not.toMatch(/alice|bob|carol|mallory|recipient@|example\.net"/i)
  expect(said).not.toMatch(/letter|subject of/)
  expect(said).not.toContain(PASSWORD)
  expect(said).not.toContain('wrong-password')
  expect(said.replaceAll(/"(?:names|address)":[^,}]*/g, '')).not.toContain('@')
})

test('whom a line means can be asked of the daemon', async () => {
  const sender = await pseudonymAfter('accepted, .*, from')
  expect(await who(sender)).toMatchObject({
    code: 0,
    output: expect.stringMatching(/^login alice, in lines from .* until now$/) as string,
  })
  expect((await who(await pseudonymAfter('refused, for'))).output).toMatch(/^login carol,/)
  expect((await who(await pseudonymAfter('delivered at .*, to'))).output).toMatch(
    /^domain example\.net,/,
  )
  const recipient = await pseudonymAfter('bounced at .*no such user:')
  expect((await who(recipient)).output).toMatch(/^address bob\.recipient@example\.net,/m)
})

test('a pseudonym of nobody is told as that, and what is none is refused', async () => {
  expect(await who('~00000000')).toMatchObject({
    code: 1,
    output: expect.stringContaining('~00000000 is nobody that is known') as string,
  })
  expect(await who('alice')).toMatchObject({
    code: 1,
    output: expect.stringContaining('alice is no pseudonym') as string,
  })
})

test('what is kept is readable for the owner only', async () => {
  for (const entry of await readdir(site.state)) {
    expect((await stat(join(site.state, entry))).mode & 0o077, entry).toBe(0)
  }
})

test('of what has ended no content is left in any file, and what waits is there', async () => {
  await site.stop()
  expect(await traces(WAITING)).toEqual(['queue.sqlite'])
  expect(await traces(ENDED)).toEqual([])
})

test('without its key a pseudonym means nobody', async () => {
  const sender = await pseudonymAfter('accepted, .*, from')
  await rm(join(site.state, 'pseudonym.keys'))
  await site.start()
  expect((await who(sender)).code).toBe(1)
})
