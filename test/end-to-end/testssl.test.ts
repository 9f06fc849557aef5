import { execFile } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { ssha } from '../support/password.ts'
import { freePort } from '../support/ports.ts'
import { makeScratch } from '../support/scratch.ts'
import { findProgram, missing } from '../support/server-process.ts'
import { RELAY_NAME, Site } from '../support/site.ts'

const run = promisify(execFile)

/*
 * What a stranger's tool says of the listeners. It is Debian's package: only from there come its lists of ciphers and
 * of clients, and it calls nobody.
 */
const skip = missing('testssl', 'hexdump', 'openssl')

// It takes some 30 seconds, and longer where others work too.
const PATIENCE = 240_000

interface Finding {
  readonly id: string
  readonly severity: string
  readonly finding: string
}

/** Findings that say nothing about the relay. */
const OF_THE_TEST: Readonly<Record<string, string>> = {
  cert_expirationStatus: 'certificates of an authority that lives in memory last for 30 days',
  cert_notAfter: 'the same',
  cert_revocation: 'such an authority publishes neither CRL nor OCSP',
  engine_problem: 'Debian’s openssl has no GOST ciphers to try',
  sessionresumption_ticket:
    'its client hangs up before the ticket that TLS 1.3 sends after the handshake; submission/tls.test.ts resumes a session',
}

/** All of its tests that concern a mail listener and are no lists; behind STARTTLS is the same TLS again. */
const WHAT = {
  submissions: ['--protocols', '--server-preference', '--server-defaults', '--pfs', '--vulnerable'],
  submission: ['--protocols', '--server-defaults'],
}

describe.skipIf(skip)('testssl.sh', () => {
  let folder: string
  let site: Site

  beforeAll(async () => {
    folder = await makeScratch()
    site = await Site.create(folder)
    const passwords = join(folder, 'passwords')
    await writeFile(passwords, `alice:${ssha('canary-demo')}\n`)
    await site.configure({
      directory: `  domains: [example.org]\n  export_file: {path: ${passwords}}`,
      delivery: `  smarthost: {host: 127.0.0.1, port: ${await freePort()}, tls: none}`,
    })
    await site.start()
  })

  afterAll(async () => {
    await site.stop()
    await rm(folder, { recursive: true, force: true })
  })

  async function findings(name: 'submissions' | 'submission'): Promise<readonly Finding[]> {
    const report = join(folder, `${name}.json`)
    const starttls = name === 'submission' ? '--starttls smtp' : ''
    const options =
      `--quiet --warnings off --color 0 --nodns none --ip 127.0.0.1 --connect-timeout 10 ${starttls}`
        .trim()
        .split(' ')
    options.push('--add-ca', site.certificates.ca, '--jsonfile', report)
    const target = `${RELAY_NAME}:${site.ports[name]}`
    const { stdout } = await run(
      findProgram('testssl') ?? 'testssl',
      [...options, ...WHAT[name], target],
      {
        cwd: folder,
        env: { ...process.env, TERM: 'dumb' },
        maxBuffer: 16 * 1024 * 1024,
      },
    ).catch((error: { stdout: string }) => error)
    const found = JSON.parse(await readFile(report, 'utf8')) as readonly Finding[]
    expect(found.length, stdout).toBeGreaterThan(30)
    return found
  }

  const listeners = ['submissions', 'submission'] as const

  // Side by side: it spends most of its time waiting.
  test.concurrent.each(listeners)(
    'finds nothing above low at %s',
    async name => {
      const found = await findings(name)
      const said = new Map(found.map(({ id, finding }) => [id, finding]))
      // It has looked: what it says of the versions is what we are.
      expect(said.get('TLS1_3')).toMatch(/^offered/)
      expect(said.get('TLS1_2')).toMatch(/^offered/)
      expect(said.get('TLS1')).toBe('not offered')
      expect(said.get('TLS1_1')).toBe('not offered')
      // WARN is its word for what it could not look at.
      const grave = found.filter(({ id, severity }) => {
        return !['OK', 'INFO', 'LOW', 'DEBUG'].includes(severity) && !(id in OF_THE_TEST)
      })
      expect(grave).toEqual([])
    },
    PATIENCE,
  )
})
