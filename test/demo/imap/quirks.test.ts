import { connect, type TLSSocket } from 'node:tls'

import { beforeAll, expect, onTestFinished, test } from 'vitest'

import { createAuthority, type Authority } from '../../../src/base/certificate.ts'
import { Account } from '../../../src/demo/imap/account.ts'
import { GMAIL, HOTMAIL, PLAIN, YAHOO, type Quirks } from '../../../src/demo/imap/quirks.ts'
import { ImapServer } from '../../../src/demo/imap/server.ts'

let authority: Authority

beforeAll(async () => {
  authority = await createAuthority('demo')
})

/** A client that knows nothing: what the server says, word for word. */
class Line {
  readonly ended: Promise<unknown>
  readonly #socket: TLSSocket
  #text = ''
  #heard: () => void = () => undefined

  constructor(socket: TLSSocket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1')
      this.#heard()
    })
    socket.on('error', () => undefined)
    this.ended = new Promise<void>(resolve => socket.on('close', () => resolve()))
    socket.on('close', () => this.#heard())
  }

  /** Sends a line and returns everything that is said up to what is waited for, or up to the end. */
  async say(line: string, until: RegExp): Promise<string> {
    if (line !== '') this.#socket.write(`${line}\r\n`)
    await new Promise<void>(resolve => {
      this.#heard = () => {
        if (until.test(this.#text) || this.#socket.closed) resolve()
      }
      this.#heard()
    })
    const said = this.#text
    this.#text = ''
    return said
  }
}

interface Fixture {
  readonly server: ImapServer
  readonly account: Account
  readonly line: () => Promise<Line>
  readonly loggedIn: () => Promise<Line>
}

async function simulated(quirks: Quirks): Promise<Fixture> {
  const account = new Account('seed@example.net', 'canary-demo', quirks.folders)
  const server = new ImapServer({
    host: '127.0.0.1',
    port: 0,
    certificate: await authority.issue(['imap.example.net']),
    quirks,
    accounts: [account],
    clock: () => Date.UTC(2026, 10, 23),
  })
  await server.start()
  onTestFinished(() => server.stop())
  const line = async (): Promise<Line> => {
    const socket = connect({
      port: server.port,
      host: '127.0.0.1',
      servername: 'imap.example.net',
      ca: authority.certificate,
    })
    onTestFinished(() => void socket.destroy())
    const opened = new Line(socket)
    await opened.say('', /^\* OK/)
    return opened
  }
  const loggedIn = async (): Promise<Line> => {
    const opened = await line()
    await opened.say('a LOGIN seed@example.net canary-demo', /^a /m)
    return opened
  }
  return { server, account, line, loggedIn }
}

const RAW = Buffer.from(
  'From: a@example.org\r\nTo: b@example.net\r\nSubject: bird\r\nMessage-ID: <1@example.org>\r\n\r\nx\r\n',
)

test('Yahoo fails every SEARCH, and a FETCH of two lists of header fields', async () => {
  const { loggedIn, account } = await simulated(YAHOO)
  account.get('INBOX')?.append({ raw: RAW, internalDate: 0 })
  const line = await loggedIn()
  await line.say('b EXAMINE Inbox', /^b /m)
  expect(await line.say('c UID SEARCH ALL', /^c /m)).toBe(
    'c NO [SERVERBUG] UID SEARCH Server error - Please try again later\r\n',
  )
  const one = 'BODY.PEEK[HEADER.FIELDS (From)]'
  expect(await line.say(`d UID FETCH 1:* (${one})`, /^d /m)).toBe(
    '* 1 FETCH (UID 1 BODY[HEADER.FIELDS (From)] {23}\r\nFrom: a@example.org\r\n\r\n)\r\nd OK UID completed\r\n',
  )
  expect(await line.say(`e UID FETCH 1:* (${one} BODY.PEEK[HEADER.FIELDS (To)])`, /^e /m)).toMatch(
    /^e NO \[UNAVAILABLE\]/,
  )
  expect(await line.say('f IDLE', /^f /m)).toMatch(/^f BAD/)
})

test('Outlook says OK to the login and refuses everything after it', async () => {
  const { line, server } = await simulated(HOTMAIL)
  server.suffer('not-connected')
  const opened = await line()
  expect(await opened.say('a LOGIN seed@example.net canary-demo', /^a /m)).toMatch(/^a OK/)
  expect(await opened.say('b EXAMINE INBOX', /^\* BYE/m)).toBe(
    'b BAD User is authenticated but not connected.\r\n* BYE Connection closed. 14\r\n',
  )
  await opened.ended
})

test('Outlook throttles and names a time, Yahoo names a limit and hangs up', async () => {
  const outlook = await simulated(HOTMAIL)
  const slow = await outlook.loggedIn()
  outlook.server.suffer('throttled')
  expect(await slow.say('b EXAMINE INBOX', /^b /m)).toBe(
    'b BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds\r\n',
  )
  const yahoo = await simulated(YAHOO)
  const limited = await yahoo.loggedIn()
  yahoo.server.suffer('limit')
  expect(await limited.say('b EXAMINE INBOX', /^\* BYE/m)).toMatch(
    /^b NO \[LIMIT\] .*Rate limit hit\.\r\n\* BYE/,
  )
  await limited.ended
})

test('a server that hangs takes commands and says nothing', async () => {
  const { loggedIn, server, line: fresh } = await simulated(PLAIN)
  const line = await loggedIn()
  server.suffer('hang')
  void line.say('b NOOP', /^b /m)
  // By the time another client has been greeted the command has been read.
  await fresh()
  server.suffer('none')
  expect(await line.say('c NOOP', /^c /m)).toBe('c OK NOOP completed\r\n')
})

test('a client that idles is told at once of what comes and goes', async () => {
  const { loggedIn, account } = await simulated(PLAIN)
  const inbox = account.get('INBOX')
  const line = await loggedIn()
  await line.say('b EXAMINE INBOX', /^b /m)
  await line.say('c IDLE', /^\+ /m)
  inbox?.append({ raw: RAW, internalDate: 0 })
  expect(await line.say('', /EXISTS/)).toBe('* 1 EXISTS\r\n')
  inbox?.remove(new Set([1]))
  expect(await line.say('', /EXPUNGE/)).toBe('* 1 EXPUNGE\r\n')
  expect(await line.say('DONE', /^c /m)).toBe('c OK IDLE completed\r\n')
})

test('Gmail tells its own numbers, labels and tabs; others do not know the words', async () => {
  const { loggedIn, account } = await simulated(GMAIL)
  account.get('INBOX')?.append({ raw: RAW, internalDate: 0, gmailId: '42', tab: 'promotions' })
  const line = await loggedIn()
  await line.say('b EXAMINE INBOX', /^b /m)
  expect(await line.say('c FETCH 1 (X-GM-MSGID X-GM-LABELS)', /^c /m)).toMatch(
    /^\* 1 FETCH \(X-GM-MSGID 42 X-GM-LABELS \(\)\)/,
  )
  const search = (query: string): Promise<string> =>
    line.say(`d UID SEARCH UID 1 X-GM-RAW "${query}"`, /^d /m)
  expect(await search('category:promotions')).toMatch(/^\* SEARCH 1\r\n/)
  expect(await search('category:primary')).toMatch(/^\* SEARCH\r\n/)
  expect(await search('rfc822msgid:<1@example.org>')).toMatch(/^\* SEARCH 1\r\n/)
  const plain = await simulated(PLAIN)
  plain.account.get('INBOX')?.append({ raw: RAW, internalDate: 0 })
  const other = await plain.loggedIn()
  await other.say('b EXAMINE INBOX', /^b /m)
  expect(await other.say('c FETCH 1 (X-GM-MSGID)', /^c /m)).toMatch(/^c BAD/)
})

test('SEARCH finds by header, flag, date, size and number', async () => {
  const { loggedIn, account } = await simulated(PLAIN)
  const inbox = account.get('INBOX')
  inbox?.append({ raw: RAW, internalDate: Date.UTC(2026, 10, 1), flags: [String.raw`\Seen`] })
  inbox?.append({ raw: Buffer.concat([RAW, RAW]), internalDate: Date.UTC(2026, 10, 20) })
  const line = await loggedIn()
  await line.say('b EXAMINE INBOX', /^b /m)
  const found = async (keys: string): Promise<string> =>
    /^\* SEARCH ?(.*)\r\n/.exec(await line.say(`c SEARCH ${keys}`, /^c /m))?.[1] ?? 'refused'
  expect(await found('SUBJECT bird')).toBe('1 2')
  expect(await found('SEEN')).toBe('1')
  expect(await found('OR SEEN UNSEEN')).toBe('1 2')
  expect(await found('NOT SEEN SINCE 15-Nov-2026')).toBe('2')
  expect(await found(`(LARGER ${RAW.length}) 1:2`)).toBe('2')
  expect(await found('HEADER Message-ID <2@example.org>')).toBe('')
  expect(await found('COLOUR yellow')).toBe('refused')
})

test('reading with PEEK, or after EXAMINE, leaves no mark; reading without does', async () => {
  const { loggedIn, account } = await simulated(PLAIN)
  const message = account.get('INBOX')?.append({ raw: RAW, internalDate: 0 })
  const line = await loggedIn()
  await line.say('b EXAMINE INBOX', /^b /m)
  await line.say('c FETCH 1 BODY[]', /^c /m)
  expect(await line.say(String.raw`d STORE 1 +FLAGS (\Seen)`, /^d /m)).toMatch(/^d NO/)
  await line.say('e SELECT INBOX', /^e /m)
  await line.say('f FETCH 1 BODY.PEEK[]', /^f /m)
  expect(message?.flags.size).toBe(0)
  await line.say('g FETCH 1 BODY[]', /^g /m)
  expect([...(message?.flags ?? [])]).toStrictEqual([String.raw`\Seen`])
})

test('numbers given anew go with a new UIDVALIDITY', async () => {
  const { loggedIn, account } = await simulated(PLAIN)
  const inbox = account.get('INBOX')
  inbox?.append({ raw: RAW, internalDate: 0 })
  inbox?.append({ raw: RAW, internalDate: 0 })
  inbox?.remove(new Set([1]))
  const before = inbox?.uidValidity ?? 0
  inbox?.renumber()
  const line = await loggedIn()
  const opened = await line.say('b EXAMINE INBOX', /^b /m)
  expect(opened).toContain(`[UIDVALIDITY ${before + 1}]`)
  expect(opened).toContain('[UIDNEXT 2]')
})

test('a folder forgets its oldest messages and never reuses a number', () => {
  const inbox = new Account('seed@example.net', 'canary-demo', PLAIN.folders).get('INBOX')
  for (let index = 0; index < 1_200; index++) inbox?.append({ raw: RAW, internalDate: 0 })
  expect(inbox?.messages).toHaveLength(1_000)
  expect(inbox?.messages[0]?.uid).toBe(201)
  const big = Buffer.alloc(20 * 1024 * 1024)
  for (let index = 0; index < 3; index++) inbox?.append({ raw: big, internalDate: 0 })
  expect(inbox?.messages.map(message => message.uid)).toStrictEqual([1_203])
})

test('who is not logged in, and who sends rubbish, is told so', async () => {
  const { line } = await simulated(PLAIN)
  const opened = await line()
  expect(await opened.say('a EXAMINE INBOX', /^a /m)).toMatch(/^a BAD/)
  expect(await opened.say('b "unfinished', /BAD/)).toMatch(/^\* BAD/)
  expect(await opened.say('c DANCE', /^c /m)).toMatch(/^c BAD/)
  expect(await opened.say('d'.repeat(70_000), /^\* BYE/m)).toMatch(/^\* BYE/)
  await opened.ended
})
