import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import { DAY } from '../../../src/base/clock.ts'
import type { Finding } from '../../../src/base/finding.ts'
import { blocklists } from '../../../src/observe/checks/blocklists.ts'
import { clockFinding, clockOffset } from '../../../src/observe/checks/clock-offset.ts'
import { heloName, reverseName } from '../../../src/observe/checks/own-names.ts'
import { mailExchangers, serviceRecords } from '../../../src/observe/checks/own-records.ts'
import { Questions } from '../../../src/observe/checks/questions.ts'
import { reversed } from '../../../src/observe/checks/reverse-zone.ts'
import { checkSelf, type SelfCheckOptions } from '../../../src/observe/checks/self-check.ts'
import { SelfChecker } from '../../../src/observe/checks/self-checker.ts'
import { spf, spfOf } from '../../../src/observe/checks/spf.ts'
import { createMetrics } from '../../../src/observe/metrics.ts'
import { clientSettingsOf } from '../../support/client-settings.ts'
import { startDnsmasq, startNameServer, type Dnsmasq } from '../../support/dnsmasq.ts'
import { freePort } from '../../support/ports.ts'
import { makeScratch } from '../../support/scratch.ts'
import { ScriptedSmtp } from '../../support/scripted-smtp.ts'
import { eventually, missing } from '../../support/server-process.ts'

/* Against dnsmasq, which knows the zone below and nobody outside. */

const GOOD = '192.0.2.10'
const SIX = '2001:db8::25'
const ZONE = [
  // Our own server, in order.
  'host-record=relay.good.test,192.0.2.10,2001:db8::25',
  'ptr-record=10.2.0.192.in-addr.arpa,relay.good.test',
  'ptr-record=5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa,relay.good.test',
  'mx-host=good.test,mx1.good.test,10',
  'host-record=mx1.good.test,127.0.0.1',
  'srv-host=_submissions._tcp.good.test,relay.good.test,465',
  'srv-host=_submission._tcp.good.test,relay.good.test,587',
  'txt-record=good.test,"v=spf1 ip4:192.0.2.0/28 ip6:2001:db8::/64 -all"',
  // Reverse names of all kinds.
  'local=/in-addr.arpa/',
  'ptr-record=11.2.0.192.in-addr.arpa,host.other.test',
  'host-record=host.other.test,192.0.2.11',
  'ptr-record=12.2.0.192.in-addr.arpa,liar.test',
  'host-record=liar.test,198.51.100.1',
  'ptr-record=13.2.0.192.in-addr.arpa,gone.test',
  // A list that works, one that refuses public resolvers, one that lists all, one that was sold.
  'host-record=2.0.0.127.zen.test,127.0.0.2',
  'host-record=11.2.0.192.zen.test,127.0.0.4',
  'txt-record=11.2.0.192.zen.test,"listed for spam, see https://zen.test/192.0.2.11"',
  'host-record=5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.zen.test,127.0.0.3',
  'address=/public.test/127.255.255.254',
  'address=/everything.test/127.0.0.2',
  'address=/sold.test/198.51.100.9',
  // SPF of all kinds.
  'txt-record=neutral.test,"v=spf1 ?all"',
  'txt-record=soft.test,"v=spf1 a:relay.good.test/32 ~all"',
  'txt-record=four.test,"v=spf1 ip4:192.0.2.10 ~all"',
  'txt-record=mx.test,"v=spf1 mx:good.test/8 -all"',
  'txt-record=via.test,"v=spf1 include:neutral.test include:good.test -all"',
  'txt-record=redirected.test,"v=spf1 redirect=good.test"',
  'txt-record=loop.test,"v=spf1 include:loop.test -all"',
  'txt-record=two.test,"v=spf1 -all"',
  'txt-record=two.test,"v=spf1 ?all"',
  'txt-record=word.test,"v=spf1 ipv4:192.0.2.10 -all"',
  'txt-record=macro.test,"v=spf1 exists:%{i}.list.test -all"',
  'txt-record=lost.test,"v=spf1 include:absent.test -all"',
  'txt-record=outside.test,"v=spf1 include:example.org -all"',
  'txt-record=other.test,"some other text"',
  // Domains that take mail, or do not.
  'mx-host=null.test,.,0',
  'mx-host=broken.test,absent.test,10',
  'mx-host=half.test,absent.test,10',
  'mx-host=half.test,mx1.good.test,20',
  'host-record=bare.test,192.0.2.20',
  // A program would be sent elsewhere.
  'srv-host=_submissions._tcp.wrong.test,elsewhere.test,465',
]

describe.skipIf(missing('dnsmasq'))('as others see us', () => {
  let folder: string
  let dnsmasq: Dnsmasq
  let dns: Questions

  beforeAll(async () => {
    folder = await makeScratch()
    dnsmasq = await startDnsmasq(folder, ZONE)
    dns = new Questions([dnsmasq.server])
  })
  afterAll(async () => {
    dns.close()
    await dnsmasq.stop()
    await rm(folder, { recursive: true })
  })

  test.each([
    ['192.0.2.10', 'good', 'is relay.good.test, which leads back to it'],
    [SIX, 'good', 'is relay.good.test, which leads back to it'],
    ['192.0.2.11', 'doubtful', 'but this server says relay.good.test'],
    ['192.0.2.12', 'bad', 'is liar.test, which does not lead back to it'],
    ['192.0.2.13', 'bad', 'is gone.test, which does not lead back to it'],
    ['192.0.2.14', 'bad', 'has no reverse name'],
    ['2001:db8::26', 'unknown', 'cannot be asked: EREFUSED'],
  ] as const)('the reverse name of %s is %s: %s', async (address, state, detail) => {
    const finding = await reverseName(address, 'relay.good.test', dns)
    expect(finding).toMatchObject({ check: 'reverse-name', about: address, state })
    expect(finding.detail).toContain(detail)
    expect(finding.advice === '').toBe(state === 'good' || state === 'unknown')
  })

  test.each([
    ['relay.good.test', [GOOD, '2001:DB8:0::25'], 'good'],
    ['relay.good.test', ['192.0.2.99'], 'doubtful'],
    ['absent.test', [GOOD], 'bad'],
    ['relay.example.org', [GOOD], 'unknown'],
  ] as const)('EHLO %s from %j is %s', async (hostname, addresses, state) => {
    expect(await heloName(hostname, addresses, dns)).toMatchObject({ check: 'helo', state })
  })

  test('a listing is told from a clean answer, and both from a list that says nothing', async () => {
    const lists = [
      'zen.test',
      'public.test',
      'everything.test',
      'sold.test',
      'dead.test',
      'list.example.org',
    ]
    const listings = await blocklists(lists, [GOOD, '192.0.2.11', SIX], dns)
    const at = (list: string): unknown[] =>
      listings.filter(listing => listing.list === list).map(({ listed }) => listed)
    expect(at('zen.test')).toEqual([false, true, true])
    for (const list of lists.slice(1)) expect(at(list)).toEqual([undefined, undefined, undefined])
    const words = (list: string): string =>
      listings.find(listing => listing.list === list)?.finding.detail ?? ''
    expect(words('public.test')).toContain('refuses your name server (127.255.255.254)')
    expect(words('everything.test')).toContain('lists everything')
    expect(words('sold.test')).toContain('is answered with 198.51.100.9')
    expect(words('dead.test')).toContain('does not list even its own test address')
    expect(words('list.example.org')).toContain('cannot be asked: EREFUSED')
    const [, spammer] = listings
    expect(spammer?.finding).toMatchObject({
      state: 'bad',
      about: '192.0.2.11 at zen.test',
      detail: 'listed (127.0.0.4): listed for spam, see https://zen.test/192.0.2.11',
    })
  })

  test.each([
    ['good.test', GOOD, 'pass'],
    ['good.test', SIX, 'pass'],
    ['good.test', '192.0.2.16', 'fail'],
    ['neutral.test', GOOD, 'neutral'],
    ['soft.test', GOOD, 'pass'],
    ['soft.test', '192.0.2.11', 'softfail'],
    ['mx.test', '127.9.9.9', 'pass'],
    ['mx.test', GOOD, 'fail'],
    ['via.test', GOOD, 'pass'],
    ['via.test', '198.51.100.1', 'fail'],
    ['redirected.test', GOOD, 'pass'],
    ['loop.test', GOOD, 'permerror'],
    ['two.test', GOOD, 'permerror'],
    ['word.test', GOOD, 'permerror'],
    ['lost.test', GOOD, 'permerror'],
    ['macro.test', GOOD, 'macro'],
    ['outside.test', GOOD, 'temperror'],
    ['other.test', GOOD, 'none'],
    ['absent.test', GOOD, 'none'],
  ])('SPF of %s says of %s: %s', async (domain, address, result) => {
    expect(await spfOf(domain, address, dns)).toBe(result)
  })

  test.each([
    ['good.test', 'good', 'covers'],
    ['four.test', 'bad', 'does not cover 2001:db8::25'],
    [
      'neutral.test',
      'doubtful',
      'authenticates nothing. Gmail demands SPF or DKIM of every sender',
    ],
    ['absent.test', 'doubtful', 'is not published. Gmail demands SPF or DKIM of every sender'],
    ['loop.test', 'bad', 'has an error'],
    ['outside.test', 'unknown', 'cannot be asked'],
    ['macro.test', 'unknown', 'uses macros'],
  ] as const)('SPF of %s is %s: %s', async (domain, state, detail) => {
    const finding = await spf(domain, [GOOD, SIX], dns)
    expect(finding).toMatchObject({ check: 'spf', about: domain, state })
    expect(finding.detail).toContain(detail)
  })

  test.each([
    ['good.test', 'good'],
    ['half.test', 'doubtful'],
    ['bare.test', 'doubtful'],
    ['broken.test', 'bad'],
    ['null.test', 'bad'],
    ['absent.test', 'bad'],
    ['example.org', 'unknown'],
  ])('that %s takes mail is %s', async (domain, state) => {
    expect(await mailExchangers(domain, dns)).toMatchObject({ check: 'mx', state })
  })

  test('what programs look for is there, or the line of the zone is given', async () => {
    const settings = clientSettingsOf({ hostname: 'relay.good.test', incoming: [] })
    const states = async (domain: string): Promise<string[]> =>
      (await serviceRecords(domain, settings, 443, dns)).map(({ state }) => state)
    expect(await states('good.test')).toEqual(['good', 'good'])
    expect(await states('example.org')).toEqual(['unknown', 'unknown'])
    const [elsewhere, absent] = await serviceRecords('wrong.test', settings, 443, dns)
    expect(elsewhere).toMatchObject({
      state: 'bad',
      advice: 'Publish: _submissions._tcp.wrong.test. IN SRV 0 1 465 relay.good.test.',
    })
    expect(absent).toMatchObject({ state: 'doubtful', about: '_submission._tcp.wrong.test' })
  })

  function options(changes: Partial<SelfCheckOptions> = {}): SelfCheckOptions {
    return {
      settings: clientSettingsOf({
        hostname: 'relay.good.test',
        domains: ['good.test'],
        incoming: [],
      }),
      web: 0,
      direct: true,
      addresses: [],
      blocklists: ['zen.test', 'public.test'],
      nameservers: [dnsmasq.server],
      outbound: ['good.test'],
      timeServer: undefined,
      mxPort: 1,
      expiry: () => Date.now() + 60 * DAY,
      clock: Date.now,
      ...changes,
    }
  }
  const stateOf = (findings: readonly Finding[], check: string): readonly string[] =>
    findings.filter(finding => finding.check === check).map(({ state }) => state)
  const never = new AbortController().signal

  test('all of it at once; an MX is greeted and left without a word about anybody', async () => {
    const mx = await ScriptedSmtp.start({})
    onTestFinished(() => mx.stop())
    const { findings, listings } = await checkSelf(options({ mxPort: mx.port }), never)
    expect(findings.filter(({ state }) => state !== 'good').map(({ about }) => about)).toEqual([
      '2001:db8::25 at zen.test',
      `${GOOD} at public.test`,
      `${SIX} at public.test`,
    ])
    expect(listings).toHaveLength(4)
    expect(stateOf(findings, 'outbound')).toEqual(['good'])
    expect(mx.commands.join(' ')).not.toMatch(/MAIL|RCPT/)
  })

  test('a closed port 25 is bad; behind a smarthost nobody asks for it', async () => {
    const closed = await checkSelf(options(), never)
    expect(stateOf(closed.findings, 'outbound')).toEqual(['bad'])
    const behind = await checkSelf(options({ direct: false }), never)
    expect(new Set(behind.findings.map(({ check }) => check))).toEqual(
      new Set(['mx', 'service-records', 'certificate']),
    )
    expect(behind.listings).toEqual([])
  })

  test('addresses that nobody outside sees are asked about nowhere', async () => {
    const { findings, listings } = await checkSelf(options({ addresses: ['10.1.2.3'] }), never)
    expect(findings.find(({ about }) => about === '10.1.2.3')).toMatchObject({ state: 'unknown' })
    expect(listings).toEqual([])
  })

  test.each([
    [60, 'good'],
    [5, 'bad'],
    [-1, 'bad'],
  ])('a certificate that ends in %i days is %s', async (days, state) => {
    const { findings } = await checkSelf(
      options({ expiry: () => Date.now() + days * DAY + 60_000 }),
      never,
    )
    expect(stateOf(findings, 'certificate')).toEqual([state])
  })

  test('a checker looks again and again; metrics have all of it, and only news are news', async () => {
    const metrics = createMetrics({
      origins: [],
      seeds: [],
      probes: [],
      providers: [],
      version: '0',
      clock: Date.now,
      inputs: {},
      blocklists: ['zen.test', 'public.test'],
    })
    expect(await metrics.text()).toContain('mailcanary_blocklist_answers{list="zen.test"} NaN')
    const news: (readonly Finding[])[] = []
    const checker = new SelfChecker({
      ...options({ addresses: ['192.0.2.11'] }),
      every: 1,
      firstAfter: 0,
      random: () => 0,
      report: (report, bad) => {
        metrics.selfCheck(report)
        news.push(bad)
      },
      failed: error => {
        throw error
      },
    })
    await checker.start()
    await eventually(() => news.length > 1 || undefined, 'a second look')
    await checker.stop()
    expect(news[0]?.map(({ check }) => check)).toEqual(['blocklists', 'outbound'])
    expect(news[1]).toEqual([])
    const text = await metrics.text()
    expect(text).toContain('mailcanary_blocklist_listed{list="zen.test",address="192.0.2.11"} 1')
    expect(text).toContain(
      'mailcanary_blocklist_listed{list="public.test",address="192.0.2.11"} NaN',
    )
    expect(text).toContain('mailcanary_blocklist_answers{list="zen.test"} 1')
    expect(text).toContain('mailcanary_blocklist_answers{list="public.test"} 0')
    expect(text).toContain('mailcanary_check_findings{check="blocklists",state="bad"} 1')
    expect(text).toContain('mailcanary_check_findings{check="blocklists",state="unknown"} 1')
    expect(text).toContain('mailcanary_check_findings{check="reverse-name",state="doubtful"} 1')
    expect(text).toContain('mailcanary_clock_offset_seconds NaN')
  })

  test('a name server of a closed network, which knows nobody, makes nothing bad', async () => {
    const { findings } = await checkSelf(
      options({
        outbound: ['unheard-of.test'],
        settings: clientSettingsOf({ hostname: 'absent.test', domains: ['absent.test'] }),
        addresses: ['192.0.2.14'],
      }),
      never,
    )
    const others = findings.filter(({ check }) => !['certificate', 'blocklists'].includes(check))
    expect(others.length).toBeGreaterThan(5)
    expect(new Set(others.map(({ state }) => state))).toEqual(new Set(['unknown']))
    expect(others.filter(({ advice }) => advice !== '')).toHaveLength(1)
  })

  test('where no name server answers all is unknown, and nothing waits after a stop', async () => {
    const silent = await startNameServer('silence')
    onTestFinished(() => silent.stop())
    const stop = new AbortController()
    const looking = checkSelf(options({ nameservers: [silent.server] }), stop.signal)
    stop.abort()
    const { findings } = await looking
    const others = findings.filter(({ check }) => check !== 'certificate')
    expect(others.length).toBeGreaterThan(3)
    expect(new Set(others.map(({ state }) => state))).toEqual(new Set(['unknown']))
  })
})

test.each([
  ['192.0.2.10', '10.2.0.192'],
  ['2001:db8::1', `1.${'0.'.repeat(23)}8.b.d.0.1.0.0.2`],
  ['::', '0.'.repeat(31) + '0'],
  ['::ffff:192.0.2.1', `1.0.2.0.0.0.0.c.f.f.f.f.${'0.'.repeat(19)}0`],
])('%s is asked for as %s', (address, name) => {
  expect(reversed(address)).toBe(name)
})

/** A time server whose clock is off by so many milliseconds, or that says something else. */
async function timeServer(
  answer: number | 'kiss' | 'noise',
): Promise<{ host: string; port: number }> {
  const socket: Socket = createSocket('udp4')
  socket.on('message', (question, { port, address }) => {
    const packet = Buffer.alloc(48)
    packet[0] = 0x24
    packet[1] = answer === 'kiss' ? 0 : 2
    if (answer !== 'noise') question.copy(packet, 24, 40, 48)
    const now = Date.now() + (typeof answer === 'number' ? answer : 0)
    for (const at of [32, 40]) {
      packet.writeUInt32BE(Math.floor(now / 1000) + 2_208_988_800, at)
      packet.writeUInt32BE(Math.floor(((now % 1000) / 1000) * 2 ** 32), at + 4)
    }
    socket.send(packet, port, address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  onTestFinished(() => {
    socket.close()
  })
  return { host: '127.0.0.1', port: socket.address().port }
}

test('the clock is held against a time server, which has to answer what was asked', async () => {
  const signal = new AbortController().signal
  for (const [off, state] of [
    [0, 'good'],
    [10_000, 'doubtful'],
    [-3_600_000, 'bad'],
  ] as const) {
    const offset = await clockOffset(await timeServer(off), Date.now, signal)
    expect(Math.abs(offset - off)).toBeLessThan(1_500)
    expect(clockFinding('ntp.test', offset).state).toBe(state)
  }
  for (const lie of ['kiss', 'noise'] as const) {
    await expect(clockOffset(await timeServer(lie), Date.now, signal)).rejects.toThrow('no time')
  }
  const nobody = { host: '127.0.0.1', port: await freePort() }
  await expect(clockOffset(nobody, Date.now, AbortSignal.timeout(500))).rejects.toThrow()
  expect(clockFinding('ntp.test', new Error('no answer')).state).toBe('unknown')
})
