import { rm } from 'node:fs/promises'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import {
  postfixVersion,
  startPostfixSubmission,
  type PostfixSubmission,
} from '../support/postfix-submission.ts'
import { postfixNeedsRoot } from '../support/postfix.ts'
import { makeScratch } from '../support/scratch.ts'
import { missing } from '../support/server-process.ts'
import { find, Probe, type Finding, type ProbeOptions } from './check.ts'
import { CHECKS } from './checks/all.ts'
import { readMeasurement, steady, worst, writeMeasurement } from './measurement.ts'

const UPDATE = process.env['MAILCANARY_UPDATE_GOLDEN'] === '1'

/** What is committed was measured at one version; another one is another server. */
async function otherVersion(): Promise<string | undefined> {
  const [installed, measured] = [await postfixVersion(), readMeasurement('postfix').version]
  if (UPDATE || installed === measured) return undefined
  return `Postfix ${installed} is installed, measured was ${measured}`
}

/*
 * The other half of the calibration: a server that the world runs on. What is found there was looked at one by one,
 * and is either a fault that Postfix is known for, or its policy; see docs/standards.md.
 */
const noPostfix = missing('postfix', 'dovecot', 'setsid') ?? postfixNeedsRoot()
describe.skipIf(noPostfix ?? (await otherVersion()))('the judge, before Postfix', () => {
  const login = { login: 'alice', password: 'canary-demo', sender: 'alice@example.org' }
  const found: Record<string, Finding> = {}
  let offers = { clearText: [] as string[], tls: [] as string[] }
  let folder: string
  let postfix: PostfixSubmission

  beforeAll(async () => {
    folder = await makeScratch()
    postfix = await startPostfixSubmission(folder, login)
  })
  afterAll(async () => {
    if (UPDATE) {
      const { version } = postfix
      writeMeasurement('postfix', { server: 'Postfix', version, offers, findings: found })
    }
    await postfix.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const at = (tls: 'implicit' | 'starttls'): ProbeOptions => ({
    endpoint: postfix[tls],
    ...login,
    recipient: 'bob@example.net',
    stored: marker => postfix.stored(marker),
  })

  it('sees what it offers', async () => {
    offers = await offersOf(at('starttls'))
    expect(offers).toEqual(UPDATE ? offers : readMeasurement('postfix').offers)
  })

  it.for(CHECKS)('finds at $id what is known', async check => {
    // Both ports have the same daemon behind them; what differs is how TLS begins.
    const ports = check.id.startsWith('T')
      ? (['starttls', 'implicit'] as const)
      : ['starttls' as const]
    const findings: Finding[] = []
    for (const tls of ports) {
      findings.push(await find(check, { ...at(tls), drastic: check.id === 'A16' }))
    }
    const finding = steady(worst(findings))
    found[check.id] = finding
    const known = UPDATE ? finding : readMeasurement('postfix').findings[check.id]
    expect(finding.outcome, finding.detail).toBe(known?.outcome)
  })
})

/** The EHLO keywords of a server with STARTTLS. */
async function offersOf(options: ProbeOptions): Promise<{ clearText: string[]; tls: string[] }> {
  const probe = new Probe(options)
  try {
    const keywords = async (client: Awaited<ReturnType<Probe['plain']>>): Promise<string[]> => {
      const { lines } = await client.command('EHLO client.example.org')
      return lines.slice(1).map(line => line.slice(4))
    }
    return {
      clearText: await keywords(await probe.plain()),
      tls: await keywords(await probe.secured()),
    }
  } finally {
    probe.close()
  }
}
