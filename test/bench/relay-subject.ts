import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { Site } from '../support/site.ts'
import { LOGIN, type Subject } from './subject.ts'

/** sha512-crypt of PASSWORD, as a directory has it. */
const HASH =
  '$6$testsalt$kNsZqvWd0/1LkUSwSw84vAvyX/Kn0K9oEmJ73G.vjmTxxR5Z7Iytgh72R6qTf87ND8tLG0PABoVt3W0vqbQlO.'

// Counted and held against, as every login's mail is; only so high that they are never reached.
const LIMITS = `  connections: 2000
  per_login:
    messages_per_hour: 1000000
    messages_per_day: 1000000
    recipients_per_hour: 1000000
    recipients_per_day: 1000000
    new_recipients_per_day: 1000000`

export interface RelaySubject extends Subject {
  readonly site: Site
}

/** mailcanary as it is built, with everything a daemon has: logins, limits, header, events, metrics, log. */
export async function startRelay(
  folder: string,
  nextHop: number,
  options: { readonly storeUrl?: string; readonly prepare?: (site: Site) => Promise<void> } = {},
): Promise<RelaySubject> {
  const site = await Site.create(folder)
  const passwords = join(folder, 'passwords')
  await writeFile(passwords, `${LOGIN}:${HASH}\n`)
  await site.configure({
    directory: `  domains: [example.org]\n  export_file: {path: ${passwords}}`,
    delivery: `  smarthost: {host: 127.0.0.1, port: ${nextHop}, tls: none}
  concurrency: 50
  concurrency_per_destination: 50`,
    limits: LIMITS,
    listen: '  workers: 1',
    ...(options.storeUrl !== undefined && {
      store: `{postgres: {url_file: ${await site.secret('database-url', options.storeUrl)}}}`,
    }),
  })
  await options.prepare?.(site)
  // Where a supervisor would put it. Read by us, it would cost one of two cores.
  site.log = join(folder, 'relay.log')
  await site.start()
  return {
    name: 'mailcanary',
    site,
    port: site.ports.submission,
    pids: () => [site.daemon?.pid ?? 0],
    stop: () => site.stop(),
  }
}
