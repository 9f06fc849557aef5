import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { connect as netConnect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { connect } from 'node:tls'

import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { makeScratch } from '../support/scratch.ts'
import { missing } from '../support/server-process.ts'
import { RELAY_NAME, Site } from '../support/site.ts'

const PASSWORD = 'canary-demo'
const ATTACKERS = 40
const TRIES = 6
const MESSAGES = 30

/** Some 60 ms of a core for each verification: forty at a time would stop whoever hashes on the event loop. */
function expensiveHash(password: string): string {
  return execFileSync('mkpasswd', ['--method=sha-512', '--rounds=150000', password])
    .toString()
    .trim()
}

describe.skipIf(missing('mkpasswd') ?? process.platform !== 'linux')(
  'a flood of wrong passwords',
  () => {
    let folder: string
    let site: Site

    beforeAll(async () => {
      folder = await makeScratch()
      site = await Site.create(folder)
      const hash = expensiveHash(PASSWORD)
      const logins = ['alice', ...Array.from({ length: ATTACKERS }, (_, n) => `victim${n}`)]
      await writeFile(join(folder, 'passwords'), logins.map(login => `${login}:${hash}\n`).join(''))
      await site.configure({
        directory: `  domains: [example.org]\n  export_file: {path: ${join(folder, 'passwords')}}`,
        // Nobody listens there: accepting is what is looked at.
        delivery: '  smarthost: {host: 127.0.0.1, port: 9, tls: none}',
      })
      await site.start()
    })

    afterAll(async () => {
      await site.stop()
      await rm(folder, { recursive: true, force: true })
    })

    /** Tries wrong passwords from an address of its own, until told to stop. @returns the replies to AUTH */
    async function attack(n: number, over: AbortSignal): Promise<string[]> {
      const replies: string[] = []
      for (let i = 0; i < TRIES && !over.aborted; i++) {
        const { submissions: port } = site.ports
        const socket = connect({
          socket: netConnect({ host: '127.0.0.1', port, localAddress: `127.0.1.${n + 1}` }),
          ca: site.certificates.caPem,
          servername: RELAY_NAME,
        })
        socket.on('error', () => undefined)
        const lines = createInterface({ input: socket })[Symbol.asyncIterator]()
        const reply = async (): Promise<string> => {
          for (;;) {
            const { value, done } = await lines.next()
            if (done === true || !value.startsWith('250-')) return value ?? ''
          }
        }
        const say = (line: string): Promise<string> => {
          socket.write(`${line}\r\n`)
          return reply()
        }
        await reply()
        await say('EHLO client.example.net')
        const guess = Buffer.from(`\0victim${n}\0wrong ${i}`).toString('base64')
        replies.push(await say(`AUTH PLAIN ${guess}`))
        socket.end()
        if (!socket.closed) await once(socket, 'close').catch(() => undefined)
      }
      return replies
    }

    /** Clock ticks of processor time that the event loop's thread, and all others of the daemon, have used. */
    function processorTime(): { readonly loop: number; readonly others: number } {
      const pid = site.daemon?.pid ?? 0
      const used = (tid: string): number => {
        const stat = readFileSync(`/proc/${pid}/task/${tid}/stat`, 'utf8')
        // proc(5): user and system time are fields 14 and 15; the name before them may hold anything.
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        return Number(fields[11]) + Number(fields[12])
      }
      const threads = readdirSync(`/proc/${pid}/task`)
      const others = threads
        .filter(tid => tid !== String(pid))
        .reduce((sum, tid) => sum + used(tid), 0)
      return { loop: used(String(pid)), others }
    }

    test('does not keep those who are logged in from sending, nor refuses anybody for our own trouble', async () => {
      const transport = createTransport({
        host: '127.0.0.1',
        port: site.ports.submissions,
        secure: true,
        pool: true,
        maxConnections: 1,
        maxMessages: Infinity,
        auth: { user: 'alice', pass: PASSWORD },
        tls: { ca: site.certificates.caPem, servername: RELAY_NAME },
      })
      const send = (n: number): Promise<unknown> =>
        transport.sendMail({
          from: 'alice@example.org',
          to: 'bob@example.net',
          subject: `${n}`,
          text: 'x',
        })
      await send(0)
      const before = processorTime()
      const over = new AbortController()
      let answered = 0
      const attackers = Array.from({ length: ATTACKERS }, (_, n) =>
        attack(n, over.signal).then(replies => {
          answered += replies.length
          return replies
        }),
      )
      for (let n = 1; n <= MESSAGES; n++) await send(n)
      // All of alice's mail went through while most guesses still waited for their turn at the hash.
      expect(answered).toBeLessThan(ATTACKERS * TRIES)
      over.abort()
      const replies = (await Promise.all(attackers)).flat()
      transport.close()
      expect(replies.length).toBeGreaterThanOrEqual(ATTACKERS)
      // 535 is for a wrong password; who could not be checked in time is told 454, or 421 when guessing too much.
      expect(
        replies.filter(line => !/^(?:535 5\.7\.8|454 4\.7\.0|421 4\.7\.0)/.test(line)),
      ).toEqual([])
      // The cause of it: hashing is done by other threads than the event loop's.
      const after = processorTime()
      expect(after.loop - before.loop).toBeLessThan((after.others - before.others) / 2)
      const lag = await site.metric('nodejs_eventloop_lag_p99_seconds')
      process.stdout.write(
        `event-loop delay under the flood, 99th percentile: ${(lag * 1_000).toFixed(0)} ms\n`,
      )
      // The login of before still counts: nobody was locked out, and no second hash was needed.
      expect(await site.metric('mailcanary_relay_logins_total', 'result="accepted"')).toBe(1)
    })
  },
)
