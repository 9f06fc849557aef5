import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { HOUR } from '../../src/base/clock.ts'
import { Secret } from '../../src/base/secret.ts'
import { Directory } from '../../src/directory/directory.ts'
import { LdapSource } from '../../src/directory/ldap-source.ts'
import { SCHEMAS } from '../../src/directory/schema.ts'
import { startSlapd } from '../support/slapd.ts'
import { formatVerdicts, table, type Verdict } from './report.ts'

/*
 * The directory of a very large organisation, over a real OpenLDAP server on this host; and how long the programs take that
 * sshd starts for every mail. By itself: node test/bench/directory.ts [ACCOUNTS]
 */

/** What was measured, with what it should be. All times in milliseconds. */
export interface DirectoryResult {
  readonly accounts: number
  /** Everything read, judged, and on the disk. Goal: 10 s for 100,000. */
  readonly fullSync: number
  /** Processor time of ours in it. */
  readonly fullSyncCpu: number
  /** Nothing has changed. Goal: 50 ms. */
  readonly unchangedPoll: number
  /** One account has changed. */
  readonly oneChange: number
  /** Longest time for which the event loop stood still in the full sync; and the most of our own work between two of its turns. */
  readonly longestPause: number
  readonly longestWork: number
  /** Microseconds for the look at a login, with a hundredth of the accounts and with all of them: constant. */
  readonly lookUpFew: number
  readonly lookUpAll: number
  /** From the start of `mailcanary sendmail` to its end where no relay runs: what it takes to load. Goal: 150 ms. */
  readonly sendmailStart: number
  readonly authorizedKeysStart: number
}

const PROGRAM = new URL('../../bin/mailcanary', import.meta.url).pathname
const NOWHERE = '/nonexistent/submit.sock'
const HASH =
  '{CRYPT}$6$testsalt$kNsZqvWd0/1LkUSwSw84vAvyX/Kn0K9oEmJ73G.vjmTxxR5Z7Iytgh72R6qTf87ND8tLG0PABoVt3W0vqbQlO.'

export async function benchDirectory(accounts = 100_000): Promise<DirectoryResult> {
  const many = await measureDirectory(accounts)
  const few = await measureDirectory(Math.max(10, Math.round(accounts / 100)))
  return {
    accounts,
    ...many,
    lookUpFew: few.lookUpAll,
    sendmailStart: medianStart([
      'sendmail',
      '--as',
      'alice',
      '--socket',
      NOWHERE,
      'bob@example.net',
    ]),
    authorizedKeysStart: medianStart([
      'authorized-keys',
      '--socket',
      NOWHERE,
      `SHA256:${'A'.repeat(43)}`,
    ]),
  }
}

/** What was wanted of it, and whether it is so. */
export function directoryVerdicts(result: DirectoryResult): readonly Verdict[] {
  const { accounts } = result
  const wants: readonly (readonly [string, number, number])[] = [
    [`full sync of ${accounts} accounts`, result.fullSync, 10_000],
    ['poll of them when nothing has changed', result.unchangedPoll, 50],
    ['start of sendmail', result.sendmailStart, 150],
    ['start of authorized-keys', result.authorizedKeysStart, 150],
  ]
  return wants.map(([what, measured, most]) => ({
    what: `directory: ${what}`,
    target: `at most ${most} ms`,
    measured: `${measured.toFixed(0)} ms`,
    met: measured <= most,
  }))
}

/** What else was measured, in pairs of what and how much. */
export function directoryFacts(result: DirectoryResult): readonly (readonly [string, string])[] {
  const { accounts, fullSyncCpu, longestPause, longestWork, oneChange, lookUpFew, lookUpAll } =
    result
  const of = `directory of ${accounts}:`
  return [
    [`${of} processor time of a full sync`, `${fullSyncCpu.toFixed(0)} ms`],
    [`${of} the event loop stood still in a full sync`, `at most ${longestPause.toFixed(0)} ms`],
    [`${of} processor time in one turn of it`, `at most ${longestWork.toFixed(0)} ms`],
    [`${of} poll when one has changed`, `${oneChange.toFixed(0)} ms`],
    [
      `${of} look at a login, and with a hundredth of them`,
      `${lookUpAll.toFixed(2)} µs, ${lookUpFew.toFixed(2)} µs`,
    ],
  ]
}

async function measureDirectory(
  accounts: number,
): Promise<
  Omit<DirectoryResult, 'accounts' | 'lookUpFew' | 'sendmailStart' | 'authorizedKeysStart'>
> {
  const people = Array.from({ length: accounts }, (_, n) => ({
    uid: `user${n}`,
    mailPassword: HASH,
    attributes: { sshRSAAuthKey: keyOf(n) },
  }))
  const slapd = await startSlapd({ people })
  const written = performance.now()
  const folder = await mkdtemp(join(tmpdir(), 'mailcanary-bench-'))
  const source = new LdapSource({
    name: 'ldap',
    url: slapd.ldapsUrl,
    startTls: false,
    ca: slapd.ca,
    servername: 'ldap.test',
    bindDn: slapd.bindDn,
    bindPassword: new Secret(slapd.bindPassword),
    base: slapd.peopleDn,
    schema: SCHEMAS['userdir-ldap'],
    domains: ['example.org'],
    operationTimeout: 60_000,
    readTimeout: 600_000,
    clock: Date.now,
  })
  const directory = new Directory({
    sources: [source],
    snapshotPath: join(folder, 'directory.json'),
    domains: ['example.org'],
    acceptAddressAsLogin: true,
    syncEvery: HOUR,
    fullEvery: HOUR,
    report: () => undefined,
    clock: Date.now,
    random: () => 0.5,
  })
  try {
    const pauses = watchPauses()
    const used = process.cpuUsage()
    const fullSync = await timed(() => directory.start())
    const { user, system } = process.cpuUsage(used)
    const { longestPause, longestWork } = pauses.stop()
    const { accounts: known } = directory.status()
    if (known !== accounts) throw new Error(`${known} accounts of ${accounts}`)
    const unchangedPoll = median(await times(5, () => directory.sync()))
    // An increment overlaps the seconds before it, in which everybody was written.
    await delay(Math.max(0, written + 8_000 - performance.now()))
    const change = (status: string): void =>
      slapd.modify(
        `dn: uid=user1,${slapd.peopleDn}\nchangetype: modify\nreplace: accountStatus\naccountStatus: ${status}\n`,
      )
    change('inactive 2026-01-01')
    await directory.sync()
    change('retiring 2026-01-01')
    const oneChange = await timed(() => directory.sync())
    return {
      fullSync,
      fullSyncCpu: (user + system) / 1000,
      unchangedPoll,
      oneChange,
      longestPause,
      longestWork,
      lookUpAll: lookUp(directory, accounts),
    }
  } finally {
    await directory.stop()
    await slapd.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Microseconds for one. */
function lookUp(directory: Directory, accounts: number): number {
  const rounds = 200_000
  let found = 0
  const began = performance.now()
  for (let i = 0; i < rounds; i++) {
    if (directory.principal(`user${(i * 7919) % accounts}`) !== undefined) found++
  }
  if (found === 0) throw new Error('nobody was found')
  return ((performance.now() - began) / rounds) * 1000
}

/** A valid key, another for each number. */
function keyOf(n: number): string {
  const point = Buffer.alloc(32)
  point.writeUInt32BE(n)
  const blob = Buffer.concat([Buffer.from('\0\0\0\u000bssh-ed25519\0\0\0\u0020', 'latin1'), point])
  return `ssh-ed25519 ${blob.toString('base64')}`
}

/** What our thread worked is what we hold up others with; a pause beyond it belongs to the collector and to other processes. */
function watchPauses(): {
  readonly stop: () => Pick<DirectoryResult, 'longestPause' | 'longestWork'>
} {
  let last = performance.now()
  let cpu = process.threadCpuUsage()
  const result = { longestPause: 0, longestWork: 0 }
  const look = (): void => {
    const { user, system } = process.threadCpuUsage(cpu)
    const now = performance.now()
    result.longestPause = Math.max(result.longestPause, now - last)
    result.longestWork = Math.max(result.longestWork, (user + system) / 1000)
    last = now
    cpu = process.threadCpuUsage()
  }
  const timer = setInterval(look, 1)
  return {
    stop: () => {
      clearInterval(timer)
      look()
      return result
    },
  }
}

/** Of seven starts. */
function medianStart(args: readonly string[]): number {
  const found = Array.from({ length: 7 }, () => {
    const began = performance.now()
    const { status } = spawnSync(PROGRAM, args, { input: 'Subject: x\n\nx\n' })
    if (status !== 75) throw new Error(`${args[0]} ended with ${status}`)
    return performance.now() - began
  })
  return median(found)
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

async function times(count: number, work: () => Promise<unknown>): Promise<number[]> {
  const found: number[] = []
  for (let i = 0; i < count; i++) found.push(await timed(work))
  return found
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const result = await benchDirectory(Number(process.argv[2] ?? 100_000))
  console.log(
    `${table(['', ''], directoryFacts(result))}\n\n${formatVerdicts(directoryVerdicts(result))}`,
  )
}
