import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import Database from 'better-sqlite3'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { DAY } from '../../src/base/clock.ts'
import { SqliteHistory } from '../../src/probe/sqlite-history.ts'
import { arrived, canary } from '../contract/history-samples.ts'
import { fileOf, keptVersions, type Part } from '../schemas/stored.ts'
import { ssha } from '../support/password.ts'
import { freePort } from '../support/ports.ts'
import { makeScratch } from '../support/scratch.ts'
import { ScriptedSmtp } from '../support/scripted-smtp.ts'
import { RELAY_NAME, Site } from '../support/site.ts'

/*
 * What is kept is kept for as long as the files say, and no longer: over the built program, with a state of long ago.
 */

const LONG_AGO = Date.now() - 100 * DAY

let folder: string
let site: Site
let next: ScriptedSmtp

beforeAll(async () => {
  folder = await makeScratch()
  site = await Site.create(folder)
  next = await ScriptedSmtp.start()
  await mkdir(site.state, { mode: 0o700 })
  await store(
    'queue',
    `update message set ended_at = ${LONG_AGO} where ended_at is not null;
    insert into standing_hold (kind, value, set_at, set_by, lifted_at, lifted_by)
      values ('login', 'alice', ${LONG_AGO}, 'root', ${LONG_AGO}, 'root')`,
  )
  await store('account', `update application_password set created_at = ${LONG_AGO}`)
  const history = new SqliteHistory(join(site.state, 'history.sqlite'))
  for (const days of [100, 10]) {
    const scheduledAt = Date.now() - days * DAY
    const old = canary({ scheduledAt, submittedAt: scheduledAt })
    await history.begin(old)
    await history.decide(old.id, arrived('inbox', 1), scheduledAt)
  }
  for (const probe of ['gone/one', 'relay/one']) {
    await history.pause({ probe, at: LONG_AGO, by: 'root' })
  }
  await history.close()
})

afterAll(async () => {
  await site.stop()
  await next.stop()
  await rm(folder, { recursive: true, force: true })
})

/** Puts a database into the state folder as a program has left it. @param changes makes it older */
async function store(part: Part, changes: string): Promise<void> {
  const database = new Database(join(site.state, `${part}.sqlite`))
  const version = keptVersions(part, 'sqlite').at(-1) ?? 0
  database.exec(await readFile(fileOf(part, 'sqlite', version), 'utf8'))
  database.exec(changes)
  database.close()
}

async function configure(retention: string, canaries: string): Promise<string> {
  const passwords = join(folder, 'passwords')
  await writeFile(passwords, `bob:${ssha('canary-demo')}\n`)
  await site.configure({
    directory: `  domains: [example.org]\n  export_file: {path: ${passwords}}`,
    delivery: `  smarthost: {host: 127.0.0.1, port: ${next.port}, tls: none}`,
    web: `  listen: "127.0.0.1:${await freePort()}"
  account: {application_passwords: true}
retention: ${retention}`,
  })
  const probes = join(folder, 'probes.yaml')
  await writeFile(
    probes,
    `state: ${site.state}
admin: {listen: "127.0.0.1:${site.ports.admin}"}
origins: {relay: {smtp: {host: ${RELAY_NAME}, port: 25}, from: canary@example.org}}
seeds: {one: {provider: other, address: one@gmail.test, imap: {host: 127.0.0.1, port: 1}, password_file: ${await site.secret('one', 'canary-demo')}}}
probes: [{name: all, origins: [relay], seeds: [one], cron: "0 0 1 1 *"}]
retention: {canaries: ${canaries}}
`,
  )
  return probes
}

/** Sweeps begin with the start, and a stop waits for them. */
async function runOnce(probes: string): Promise<Readonly<Record<string, readonly unknown[]>>> {
  await site.start('--probes', probes)
  expect(await site.daemon?.stop()).toEqual({ code: 0, signal: null })
  const ask = (file: string, sql: string): readonly unknown[] => {
    const database = new Database(join(site.state, file), { readonly: true })
    try {
      return database.prepare(sql).pluck().all()
    } finally {
      database.close()
    }
  }
  return {
    messages: ask('queue.sqlite', `select id from message where ended_at = ${LONG_AGO}`),
    holds: ask('queue.sqlite', 'select value from standing_hold'),
    passwords: ask('account.sqlite', 'select name from application_password'),
    canaries: ask('history.sqlite', 'select id from canary'),
    pauses: ask('history.sqlite', 'select probe from pause order by probe'),
  }
}

test('within its time everything is there, and afterwards it is not', async () => {
  const long = '{messages: 400d, application_passwords: 400d}'
  const before = await runOnce(await configure(long, '4000d'))
  expect(before).toMatchObject({
    holds: ['alice'],
    passwords: ['laptop'],
    pauses: ['gone/one', 'relay/one'],
  })
  expect(before['messages']).toHaveLength(1)
  expect(before['canaries']).toHaveLength(2)

  const short = '{messages: 14d, application_passwords: 30d}'
  const after = await runOnce(await configure(short, '90d'))
  // A pause of a probe that is still there stands until somebody ends it.
  expect(after).toMatchObject({ messages: [], holds: [], passwords: [], pauses: ['relay/one'] })
  expect(after['canaries']).toHaveLength(1)
})
