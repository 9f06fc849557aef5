import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { Worker } from 'node:worker_threads'

import { createAuthority } from '../../base/certificate.ts'
import { startInOrder } from '../../base/lifecycle.ts'
import { ServerIdentities } from '../../base/server-tls.ts'
import { StateFolder } from '../../base/state-folder.ts'
import { relaySchema } from '../../config/relay-schema.ts'
import { createRelay } from '../relay-parts.ts'
import type { BenchOptions, BenchResult, LoadOrder } from './order.ts'

const NAME = 'relay.example.org'
const LOGIN = 'alice'
const PASSWORD = 'canary-demo'
const HASH =
  '$6$testsalt$kNsZqvWd0/1LkUSwSw84vAvyX/Kn0K9oEmJ73G.vjmTxxR5Z7Iytgh72R6qTf87ND8tLG0PABoVt3W0vqbQlO.'
// Counted and judged as every login's mail is, and never reached.
const MOST = 1_000_000

/**
 * Measures a relay of its own, with everything a relay does, in a new folder below `folder`: nothing leaves this host, and
 * nothing that is there is touched.
 */
export async function runBench(folder: string, options: BenchOptions): Promise<BenchResult> {
  const scratch = await mkdtemp(join(folder, 'mailcanary-bench-'))
  const thread = new Worker(new URL(`./load${extname(import.meta.url)}`, import.meta.url))
  try {
    const [nextHop] = (await once(thread, 'message')) as [number]
    const passwords = join(scratch, 'passwords')
    await writeFile(passwords, `${LOGIN}:${HASH}\n`)
    const authority = await createAuthority('mailcanary bench')
    const state = await StateFolder.open(join(scratch, 'state'))
    const config = relaySchema.parse({
      hostname: NAME,
      state: state.path,
      listen: { submissions: ['127.0.0.1:0'] },
      tls: { certificate: 'made for this run', key: 'made for this run' },
      directory: { domains: ['example.org'], export_file: { path: passwords } },
      limits: {
        connections: 10_000,
        per_login: {
          messages_per_hour: MOST,
          messages_per_day: MOST,
          recipients_per_hour: MOST,
          recipients_per_day: MOST,
          new_recipients_per_day: MOST,
        },
      },
      delivery: {
        smarthost: { host: '127.0.0.1', port: nextHop, tls: 'none' },
        concurrency: 50,
        concurrency_per_destination: 50,
      },
    })
    const relay = await createRelay(
      {
        path: 'bench',
        config,
        store: undefined,
        admin: { tls: undefined, token: undefined },
        tls: new ServerIdentities([await authority.issue([NAME])]),
        ldap: undefined,
        smarthost: { ca: undefined, password: undefined },
      },
      { clock: Date.now, random: Math.random, folder: state, providers: [] },
      { relay: () => undefined, directory: () => undefined, account: () => undefined },
    )
    const stop = await startInOrder(relay.parts)
    try {
      const order: LoadOrder = {
        ...options,
        port: relay.submission.listening[0]?.port ?? 0,
        certificateName: NAME,
        ca: authority.certificate,
        login: LOGIN,
        password: PASSWORD,
        from: `${LOGIN}@example.org`,
      }
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      thread.postMessage(order)
      const [result] = (await once(thread, 'message')) as [BenchResult]
      return result
    } finally {
      await stop()
      state.close()
    }
  } finally {
    await thread.terminate()
    await rm(scratch, { recursive: true, force: true })
  }
}
