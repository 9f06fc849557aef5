import { describe, expect, it } from 'vitest'

import { createLog, humanLine, wantsColour, type LogOptions } from '../../src/observe/log.ts'
import { relayEntry } from '../../src/observe/log/relay-entry.ts'
import type { ProbeEvent } from '../../src/probe/events.ts'
import type { RelayEvent } from '../../src/relay/events.ts'

const AT = new Date(2026, 0, 15, 14, 3, 22).getTime()

function logWith(options: Partial<LogOptions> = {}): {
  log: ReturnType<typeof createLog>
  lines: string[]
} {
  const lines: string[] = []
  const log = createLog({
    format: 'human',
    level: 'info',
    colour: false,
    clock: () => AT,
    stream: { write: (line: string) => lines.push(line) },
    ...options,
  })
  return { log, lines }
}

const bounced: RelayEvent = {
  kind: 'attempt',
  id: '01HZXAMP0E000001',
  destination: 'someone.example',
  provider: 'gmail',
  recipients: 1,
  outcome: 'bounced',
  class: 'mailbox',
  host: 'mx.example.net',
  tls: 'TLSv1.3',
  reply: '550 5.1.1 <bob@someone.example>: no such user\r\nFAKE LINE',
  possibleDuplicate: false,
}
const personal: readonly RelayEvent[] = [
  { kind: 'login', result: 'accepted', login: 'alice' },
  { kind: 'login', result: 'refused', login: 'alice' },
  { kind: 'login', result: 'unavailable', login: 'alice', cause: 'verifier broken' },
  { kind: 'message-accepted', id: '01HZXAMP0E000001', login: 'alice', size: 12_345, recipients: 2 },
  {
    kind: 'message-refused',
    login: 'alice',
    code: 550,
    enhanced: '5.7.1',
    reason: 'alice may not send as carol@example.org',
  },
  {
    kind: 'login-over-limit',
    login: 'alice',
    limit: 'messages_per_hour',
    action: 'hold',
    most: 100,
    until: AT,
  },
  {
    kind: 'slowed-down',
    name: 'gmail',
    provider: 'gmail',
    running: 1,
    connections: 1,
    messagesPerMinute: 6,
    level: 3,
    pausedUntil: 0,
    reply: '421 4.7.28 <bob@someone.example>: unusual rate',
  },
  bounced,
]
const verdict: ProbeEvent = {
  kind: 'verdict',
  id: 'c1',
  origin: 'relay',
  provider: 'gmail',
  seed: 'gmail-1',
  verdict: 'inbox',
  stage: undefined,
  seconds: 4.2,
  auth: { spf: 'pass', dkim: 'pass', dmarc: 'fail' },
  detail: '',
}

describe('the log for people', () => {
  it('writes one line an event: time, subject in a column, what happened', () => {
    const { log, lines } = logWith()
    log.probe(verdict)
    log.relay({ kind: 'relay-listening', listener: 'submissions', address: '127.0.0.1:2465' })
    log.say('ready')
    expect(lines).toEqual([
      '14:03:22 canary     c1 relay to gmail-1: inbox after 4.2s spf=pass dkim=pass dmarc=fail\n',
      '14:03:22 relay      submissions listens on 127.0.0.1:2465\n',
      '14:03:22 mailcanary ready\n',
    ])
  })

  it('tells a sign-in that needs a person from a refresh that is tried again', () => {
    const { log, lines } = logWith()
    const failed = { kind: 'token-failed', seed: 'hotmail-1', provider: 'hotmail' } as const
    log.probe({ ...failed, result: 'refused', detail: 'mailcanary seed login hotmail-1' })
    log.probe({ ...failed, result: 'unavailable', detail: 'HTTP 503' })
    log.probe({ kind: 'token-refreshed', seed: 'hotmail-1', provider: 'hotmail', until: AT })
    expect(lines).toEqual([
      '14:03:22 seed       hotmail-1 (hotmail) cannot sign in until somebody does something: mailcanary seed login hotmail-1\n',
      '14:03:22 seed       hotmail-1 (hotmail) could not refresh its token, and tries again: HTTP 503\n',
    ])
  })

  it('keeps the words of a remote server on one line', () => {
    const { log, lines } = logWith()
    log.relay(bounced)
    expect(lines.join('')).toBe(
      '14:03:22 queue      01HZXAMP0E000001 bounced at gmail (mx.example.net) TLSv1.3 mailbox: ' +
        '550 5.1.1 <…@…>: no such user FAKE LINE\n',
    )
  })

  it('colours good and bad news when asked to, and never loses a word by it', () => {
    const coloured = humanLine(relayEntry(bounced), { at: AT, colour: true, verbose: false })
    const plain = humanLine(relayEntry(bounced), { at: AT, colour: false, verbose: false })
    expect(coloured).toContain('\u001b[31m')
    expect(coloured.replaceAll(/\u001b\[\d+m/g, '')).toBe(plain)
  })

  it('wants colours at a terminal only, and not where NO_COLOR declines them', () => {
    expect(wantsColour({ isTTY: true }, {})).toBe(true)
    expect(wantsColour({ isTTY: true }, { NO_COLOR: '1' })).toBe(false)
    expect(wantsColour({ isTTY: true }, { NO_COLOR: '' })).toBe(true)
    expect(wantsColour({ isTTY: true }, { TERM: 'dumb' })).toBe(false)
    expect(wantsColour({}, {})).toBe(false)
  })
})

describe('the log for machines', () => {
  it('writes one JSON object an event, with its fields', () => {
    const { log, lines } = logWith({ format: 'json' })
    log.probe(verdict)
    expect(JSON.parse(lines.join(''))).toMatchObject({
      level: 'info',
      time: new Date(AT).toISOString(),
      event: 'verdict',
      verdict: 'inbox',
      seconds: 4.2,
      auth: { dmarc: 'fail' },
    })
  })
})

describe('pseudonyms in the log', () => {
  const pseudonym = (name: string): string => `~${name.length}`

  it('stand where people are named at debug level, and where servers repeat their addresses', () => {
    const { log, lines } = logWith({ pseudonym })
    for (const event of personal) log.relay(event)
    for (const line of [
      '14:03:22 login      refused, for ~5\n',
      '14:03:22 login      cannot be checked: verifier broken, for ~5\n',
      '14:03:22 message    01HZXAMP0E000001 accepted, 12 kB for 2 recipients, from ~5\n',
      '14:03:22 message    refused: 550 5.7.1 ~5 may not send as ~17, from ~5\n',
      '14:03:22 queue      01HZXAMP0E000001 bounced at gmail (mx.example.net) TLSv1.3 mailbox: ' +
        '550 5.1.1 <~19>: no such user FAKE LINE, to ~15\n',
    ]) {
      expect(lines).toContain(line)
    }
  })

  it('are fields of their own for machines', () => {
    const { log, lines } = logWith({ format: 'json', pseudonym })
    log.relay(bounced)
    log.relay({ kind: 'login', result: 'refused', login: 'alice' })
    expect(lines.map(line => JSON.parse(line) as unknown)).toMatchObject([
      { destination: '~15', reply: '550 5.1.1 <~19>: no such user\r\nFAKE LINE' },
      { login: '~5' },
    ])
  })

  it.each([
    ['bob@example.net is unknown', '~15 is unknown'],
    ['"bob b"@example.net, bob@example.net.', '~19, ~15'],
    [
      'see https://example.org/why?who=bob%40example.net&why=1',
      'see https://example.org/why?who=~15&why=1',
    ],
    ['rfc822;bob@example.net', 'rfc822;~15'],
    ['<bob+list@mail.example.net>...', '<~25>...'],
    ['alice, Alice and alicea', '~5, ~5 and alicea'],
    ['alice@example.org is alice', '~17 is ~5'],
  ])('hide %s', (reason, shown) => {
    const { log, lines } = logWith({ pseudonym })
    log.relay({ kind: 'message-refused', login: 'alice', code: 550, enhanced: '5.7.1', reason })
    expect(lines.join('')).toBe(`14:03:22 message    refused: 550 5.7.1 ${shown}, from ~5\n`)
  })

  it('hide a login whatever characters it is made of', () => {
    const { log, lines } = logWith({ pseudonym })
    for (const login of ['a.b-c_d', 'x(y)[z]*', '$&', 'ä😀']) {
      log.relay({ kind: 'login', result: 'unavailable', login, cause: `no way for ${login} now` })
    }
    expect(lines.join('')).not.toMatch(/a\.b|x\(|\$&|ä|😀/)
  })

  it('are found in a long line at once', () => {
    const { log, lines } = logWith({ pseudonym })
    const reason = `${'x'.repeat(200_000)} ${'a@'.repeat(50_000)} ${'"'.repeat(100_000)}`
    log.relay({ kind: 'message-refused', login: 'alice', code: 550, enhanced: '', reason })
    expect(lines).toHaveLength(1)
  })
})

it.each([
  [452, '4.3.1', true],
  [451, '4.3.0', true],
  [452, '4.5.3', false],
  [550, '5.7.1', false],
])('mail refused with %i %s is a warning: %s', (code, enhanced, warning) => {
  const { log, lines } = logWith({ level: 'warn' })
  log.relay({ kind: 'message-refused', login: 'alice', code, enhanced, reason: 'a reason' })
  expect(lines).toHaveLength(warning ? 1 : 0)
})

describe.each(['human', 'json'] as const)('the log in %s format', format => {
  it('names no login, address or destination at the default level', () => {
    const { log, lines } = logWith({ format })
    for (const event of personal) log.relay(event)
    log.probe({ kind: 'seed-down', seed: 's', provider: 'p', detail: 'seed@example.net locked' })
    expect(lines.length).toBeGreaterThan(4)
    expect(lines.join('')).not.toMatch(/alice|bob|carol|someone\.example|seed@/)
  })

  it('names them at debug level', () => {
    const { log, lines } = logWith({ format, level: 'debug' })
    for (const event of personal) log.relay(event)
    const text = lines.join('')
    expect(text).toContain('alice')
    expect(text).toContain('bob@someone.example')
  })

  it('leaves out what is less than its level', () => {
    const { log, lines } = logWith({ format, level: 'warn' })
    log.probe(verdict)
    log.relay({ kind: 'relay-fault', part: 'store', cause: 'disk full' })
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain('disk full')
  })
})

describe('the log in the journal', () => {
  it('begins with the priority, for people without the time', () => {
    const { log, lines } = logWith({ journal: true })
    log.relay({ kind: 'relay-fault', part: 'store', cause: 'disk full' })
    log.relay(bounced)
    log.probe({ kind: 'seed-down', seed: 's', provider: 'p', detail: 'locked' })
    expect(lines[0]).toBe('<3>store      ERROR fault: disk full\n')
    expect(lines.map(line => line.slice(0, 3))).toEqual(['<3>', '<6>', '<4>'])
    expect(lines.join('')).not.toMatch(/\d\d:\d\d:\d\d/)
  })

  it('as JSON does so too', () => {
    const { log, lines } = logWith({ journal: true, format: 'json', level: 'debug' })
    log.relay({ kind: 'login', result: 'accepted', login: 'alice' })
    log.relay({ kind: 'relay-fault', part: 'store', cause: 'disk full' })
    expect(lines.map(line => line.slice(0, 3))).toEqual(['<7>', '<3>'])
    const [, fault] = lines.map(line => JSON.parse(line.slice(3)) as Record<string, unknown>)
    expect(fault).toMatchObject({ level: 'error', event: 'relay-fault', cause: 'disk full' })
    expect(fault).not.toHaveProperty('time')
  })
})
