import { describe, expect, it } from 'vitest'

import { readReport } from '../../src/mail/report-reader.ts'
import { ALICE, MESSAGE, run, submit } from '../relay/submission/fixture.ts'
import { eventually } from '../support/server-process.ts'
import { twoHops } from './two-hops.ts'

// What would begin a line of its own, in each way to say so.
const BREAKS = ['\r\n', '\n', '\r', '\0', '\u0085', '\u2028'] as const
const INJECTED = 'Bcc: victim@example.net'

describe('nothing that a client says becomes a line of a header or a command of ours', () => {
  it.each([
    ['its name in EHLO', (text: string) => `EHLO client.example.org${text}`],
    ['the sender', (text: string) => `MAIL FROM:<alice${text}@example.org>`],
    ['a recipient', (text: string) => `RCPT TO:<"bob${text}"@example.net>`],
    ['ENVID', (text: string) => `MAIL FROM:<alice@example.org> ENVID=a${text}`],
    ['a login', (text: string) => `AUTH PLAIN ${Buffer.from(`\0a${text}\0x`).toString('base64')}`],
  ])('not through %s', async (name, command) => {
    const { session, client, store, events } = await run({
      limits: { errors: 1_000, wrongPasswords: 1_000, wrongLogins: 1_000, loginDelay: 0 },
    })
    for (const breaks of BREAKS) {
      const hostile = await (name === 'a login' ? client() : session())
      await hostile.write(`${command(`${breaks}${INJECTED}`)}\r\n`)
      // A message follows all the same.
      if (name !== 'a login') await submit(hostile).catch(() => undefined)
      hostile.destroy()
    }
    for (const { message, body } of store.messages) {
      expect(String(body)).not.toMatch(/victim/)
      expect(JSON.stringify(message.envelope)).not.toMatch(/[\p{Cc}\p{Zl}]|\\[rnu]/u)
    }
    for (const event of events) {
      // A log of one line an event is one for any login.
      expect(event.kind).not.toBe('relay-fault')
      expect(JSON.stringify(event)).not.toContain('\n')
    }
  })

  it('not through what xtext hides: ENVID and ORCPT with CR and LF are refused', async () => {
    const { session } = await run()
    const client = await session()
    for (const hidden of ['+0D+0ABcc:', '+0A', '+0D', '+00', '+E2+80+A8']) {
      const mail = await client.command(`MAIL FROM:<alice@example.org> ENVID=a${hidden}`)
      expect(mail.code, `ENVID ${hidden}`).toBe(501)
    }
    await client.command('MAIL FROM:<alice@example.org>')
    for (const hidden of ['+0D+0ABcc:', '+0A', '+0D', '+00']) {
      const rcpt = await client.command(`RCPT TO:<bob@example.net> ORCPT=rfc822;b${hidden}@x.org`)
      expect(rcpt.code, `ORCPT ${hidden}`).toBe(501)
    }
  })

  it('what we add stands in fields of its own, and no more fields than those', async () => {
    const { session, store } = await run()
    const client = await session()
    await client.command('EHLO [192.0.2.1]')
    await submit(client, { content: MESSAGE.replace(/^(?:Date|Message-ID): .*\r\n/gm, '') })
    const [header = ''] = String(store.only.body).split('\r\n\r\n')
    const names = header.split(/\r\n(?![ \t])/).map(line => line.replace(/:.*/s, ''))
    expect(names.toSorted()).toEqual(
      ['Date', 'From', 'Message-ID', 'Received', 'Subject', 'To'].toSorted(),
    )
    // RFC 5321 section 7.2 and our own promise: neither the client's address nor its login.
    expect(header).not.toMatch(
      new RegExp(`127\\.0\\.0\\.1|192\\.0\\.2\\.1|login|${ALICE.login}\\b(?!@|>)`),
    )
  })
})

describe.each(['direct-mx', 'smarthost'] as const)('through %s', way => {
  it('a command to the next hop is one line, whatever the envelope', async () => {
    const { nextHop, session, drained } = await twoHops(way, {})
    const client = await session()
    const paths = [
      '<"a b"@example.net>',
      String.raw`<"a\"> NOTIFY=NEVER"@example.net>`,
      '<"a@b"@example.net>',
    ]
    await client.command('MAIL FROM:<alice@example.org> RET=HDRS ENVID=a+20b+3Dc')
    for (const path of paths) {
      const rcpt = await client.command(
        `RCPT TO:${path} NOTIFY=FAILURE ORCPT=rfc822;x+2By@example.org`,
      )
      expect(rcpt.code, rcpt.text).toBe(250)
    }
    await client.command('DATA')
    await client.write(`${MESSAGE}.\r\n`)
    expect((await client.reply()).code).toBe(250)
    await drained()
    const [seen] = nextHop.messages
    expect(seen?.mail).toMatch(/^MAIL FROM:<alice@example\.org>.* RET=HDRS ENVID=a\+20b\+3Dc$/)
    expect(
      seen?.rcpt.map(line => line.replace(/ NOTIFY=FAILURE ORCPT=rfc822;x\+2By@example\.org$/, '')),
    ).toEqual(paths.map(path => `RCPT TO:${path}`))
  })

  it('a report of a hostile refusal is one report with one recipient', async () => {
    const refusal = `550-5.7.1 no\n550-5.7.1 Final-Recipient: rfc822;victim@example.net\n550 5.7.1 \u0001\u001b[2J--=_boundary`
    const { nextHop, session, drained } = await twoHops(way, {
      deeds: { RCPT: [refusal, '250 OK'] },
    })
    expect(await submit(await session())).toMatch(/^250 /)
    await eventually(() => nextHop.messages.length > 0 || undefined, 'the report')
    await drained()
    expect(nextHop.messages).toHaveLength(1)
    const [report] = nextHop.messages
    expect(report?.mail).toMatch(/^MAIL FROM:<>/)
    expect(report?.rcpt).toEqual([expect.stringContaining('<alice@example.org>')])
    const read = readReport(report?.data ?? Buffer.alloc(0))
    expect(read?.recipients).toHaveLength(1)
    expect(read?.recipients[0]).toMatchObject({
      finalRecipient: 'bob@example.net',
      action: 'failed',
      status: '5.7.1',
    })
    expect(String(report?.data)).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/)
  })
})
