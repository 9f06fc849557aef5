import { rm } from 'node:fs/promises'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import {
  MtaSts,
  parseStsPolicy,
  stsAllows,
  type TxtAnswer,
} from '../../../src/relay/transport/mta-sts.ts'
import { policyText } from '../../../src/relay/transport/sts-fetch.ts'
import { StsPolicies } from '../../../src/relay/transport/sts-policies.ts'
import { testCertificates, type TestCertificates } from '../../support/certificates.ts'
import { makeScratch } from '../../support/scratch.ts'
import { consignment, resolverOf } from './consignment.ts'
import { deliver, start } from './delivery.ts'

function policy(mode: string, mx = 'mx1.example.net', maxAge = 86_400): string {
  return `version: STSv1\r\nmode: ${mode}\r\nmx: ${mx}\r\nmx: *.mail.example.net\r\nmax_age: ${maxAge}\r\n`
}

/** A domain whose record and policy can be changed, with a clock of its own. */
class World {
  record: TxtAnswer = { kind: 'found', records: ['v=STSv1; id=1;', 'v=spf1 -all'] }
  text: string | Error
  now = 1_000_000
  fetched = 0
  readonly sts = new MtaSts({
    txt: name => {
      expect(name).toBe('_mta-sts.example.net')
      return Promise.resolve(this.record)
    },
    fetch: () => {
      this.fetched++
      return this.text instanceof Error ? Promise.reject(this.text) : Promise.resolve(this.text)
    },
    policies: new StsPolicies({ clock: () => this.now }),
    clock: () => this.now,
  })

  constructor(text: string) {
    this.text = text
  }
}

describe('the policy of a domain', () => {
  test('is fetched once for each id, also when many ask at a time', async () => {
    const it = new World(policy('enforce'))
    await Promise.all([it.sts.policyFor('example.net'), it.sts.policyFor('example.net')])
    expect(await it.sts.policyFor('example.net')).toMatchObject({ mode: 'enforce' })
    expect(it.fetched).toBe(1)
    it.record = { kind: 'found', records: ['v=STSv1; id=2'] }
    it.text = policy('testing')
    expect(await it.sts.policyFor('example.net')).toMatchObject({ mode: 'testing' })
    expect(it.fetched).toBe(2)
  })

  test.each<[string, TxtAnswer]>([
    ['vanishes', { kind: 'none' }],
    ['cannot be looked up', { kind: 'unavailable', cause: 'ESERVFAIL' }],
    ['is doubled', { kind: 'found', records: ['v=STSv1; id=3', 'v=STSv1; id=4'] }],
  ])('binds until its age is up, even when its record %s', async (_, record) => {
    const it = new World(policy('enforce'))
    await it.sts.policyFor('example.net')
    it.record = record
    it.now += 86_399_000
    expect(await it.sts.policyFor('example.net')).toMatchObject({ mode: 'enforce' })
    it.now += 1_000
    expect(await it.sts.policyFor('example.net')).toBeUndefined()
  })

  test('binds while a new one cannot be had, which is tried again only after a while', async () => {
    const it = new World(policy('enforce'))
    await it.sts.policyFor('example.net')
    it.record = { kind: 'found', records: ['v=STSv1; id=2'] }
    it.text = new Error('unreachable')
    for (let i = 0; i < 3; i++) {
      expect(await it.sts.policyFor('example.net')).toMatchObject({ mode: 'enforce' })
    }
    expect(it.fetched).toBe(2)
    it.text = policy('none')
    it.now += 300_000
    expect(await it.sts.policyFor('example.net')).toMatchObject({ mode: 'none' })
  })

  test('is fetched anew when its age is up', async () => {
    const it = new World(policy('enforce', 'mx1.example.net', 60))
    await it.sts.policyFor('example.net')
    it.now += 60_000
    expect(await it.sts.policyFor('example.net')).toMatchObject({ mode: 'enforce' })
    expect(it.fetched).toBe(2)
  })

  test.each([
    'mode: enforce\nmx: a.example.net\nmax_age: 1',
    'version: STSv2\nmode: enforce\nmx: a.example.net\nmax_age: 1',
    'version: STSv1\nmode: force\nmx: a.example.net\nmax_age: 1',
    'version: STSv1\nmode: enforce\nmax_age: 1',
    'version: STSv1\nmode: enforce\nmx: a.example.net\nmax_age: soon',
    '<html>',
  ])('is none if malformed: %j', text => {
    expect(parseStsPolicy(text)).toBeUndefined()
  })

  test.each([
    ['mx1.example.net', true],
    ['MX1.example.net.', true],
    ['a.mail.example.net', true],
    ['mail.example.net', false],
    ['a.b.mail.example.net', false],
    ['mx2.example.net', false],
  ])('names %s: %s', (host, allowed) => {
    const parsed = parseStsPolicy(policy('enforce'))
    expect(parsed && stsAllows(parsed, host)).toBe(allowed)
  })

  test.each([
    [new Response('x', { status: 404 }), '404'],
    [new Response('x', { headers: { 'content-type': 'text/html' } }), 'text/plain'],
    [new Response('x'.repeat(70_000), { headers: { 'content-type': 'text/plain' } }), 'too long'],
  ])('is not taken from just any answer: %#', async (response, cause) => {
    await expect(policyText(response)).rejects.toThrow(cause)
  })
})

describe('delivery', () => {
  let folder: string
  let certificates: TestCertificates

  beforeAll(async () => {
    folder = await makeScratch()
    certificates = await testCertificates(folder)
  })

  afterAll(() => rm(folder, { recursive: true }))

  test.each([
    ['enforce', 'mx1.example.net', 'delivered', 'TLSv1.3'],
    ['enforce', 'mx.example.com', 'deferred', ''],
    ['testing', 'mx.example.com', 'delivered', 'TLSv1.3'],
    ['none', 'mx.example.com', 'delivered', 'TLSv1.3'],
  ])('under %s with a certificate for %s is %s', async (mode, name, kind, tls) => {
    const server = await start({ tls: await certificates.issue(name) })
    const outcomes = await deliver(resolverOf([['mx1.example.net', server.port]]), consignment(), {
      sts: new World(policy(mode)).sts,
      tls: { policy: 'opportunistic', ca: certificates.caPem },
    })
    expect(outcomes[0]).toMatchObject({ kind, tls })
  })

  test('goes to no host that the policy does not name', async () => {
    const server = await start({ tls: await certificates.issue('mx2.example.net') })
    const outcomes = await deliver(resolverOf([['mx2.example.net', server.port]]), consignment(), {
      sts: new World(policy('enforce')).sts,
      tls: { policy: 'opportunistic', ca: certificates.caPem },
    })
    expect(outcomes[0]).toMatchObject({
      kind: 'deferred',
      class: 'tls',
      reply: { enhanced: '4.7.5' },
    })
    expect(server.connections).toBe(0)
  })
})
