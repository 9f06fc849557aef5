import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { HOUR } from '../../src/base/clock.ts'
import { Secret } from '../../src/base/secret.ts'
import { Directory } from '../../src/directory/directory.ts'
import { LdapSource } from '../../src/directory/ldap-source.ts'
import { SCHEMAS } from '../../src/directory/schema.ts'
import { startSlapd } from '../support/slapd.ts'

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
  /** Longest time for which the event loop stood still in the full sync. */
  readonly longestPause: number
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

export function directoryLines(result: DirectoryResult): readonly string[] {
  const row = (what: string, value: string, goal: string): string =>
    `${what.padEnd(46)} ${value.padStart(10)}   ${goal}`
  const ms = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`
  return [
    row(`full sync of ${result.accounts} accounts`, ms(result.fullSync), 'goal: 10 s for 100,000'),
    row('  processor time of it', ms(result.fullSyncCpu), ''),
    row('  the event loop stood still for at most', ms(result.longestPause), ''),
    row('poll when nothing has changed', ms(result.unchangedPoll), 'goal: 50 ms'),
    row('poll when one account has changed', ms(result.oneChange), ''),
    row(
      'look at a login',
      `${result.lookUpAll.toFixed(2)} µs`,
      `${result.lookUpFew.toFixed(2)} µs with a hundredth of the accounts`,
    ),
    row('start of sendmail', ms(result.sendmailStart), 'goal: 150 ms'),
    row('start of authorized-keys', ms(result.authorizedKeysStart), 'goal: 150 ms'),
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
    const longestPause = pauses.stop()
    const { accounts: known } = directory.status()
    if (known !== accounts) throw new Error(`${known} accounts of ${accounts}`)
    const unchangedPoll = median(await times(5, () => directory.sync()))
    const change = (status: string): void =>
      slapd.modify(
        `dn: uid=user1,${slapd.peopleDn}\nchangetype: modify\nreplace: accountStatus\naccountStatus: ${status}\n`,
      )
    // Everybody was written within seconds, which an increment overlaps; the next one has only what has changed.
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

function watchPauses(): { readonly stop: () => number } {
  let last = performance.now()
  let longest = 0
  const timer = setInterval(() => {
    const now = performance.now()
    longest = Math.max(longest, now - last - 5)
    last = now
  }, 5)
  return {
    stop: () => {
      clearInterval(timer)
      return longest
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
  process.stdout.write(
    directoryLines(result)
      .map(line => `${line}\n`)
      .join(''),
  )
}
