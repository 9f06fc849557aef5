import type { Check, Probe, Stored } from '../check.ts'

/** What the server makes of the content: section D, second part. */
export const CONTENT: readonly Check[] = [
  {
    id: 'D08',
    statement: 'Content of eight bits without BODY=8BITMIME is refused or marked',
    source: 'RFC 5321 2.4, RFC 6152',
    level: 'p',
    async run(probe) {
      const marker = probe.marker()
      const client = await probe.session()
      const answer = await probe.deliver(client, `${probe.header(marker)}\r\nhéllo\r\n.\r\n`)
      if (answer.code >= 500) return
      probe.must((await probe.stored(marker)).eightBit, 'not marked')
    },
  },
  {
    id: 'D09',
    statement:
      'A message without header section is answered 554; Received is put on top, the rest untouched',
    source: 'RFC 6409 4.1, RFC 5321 4.4',
    level: 'M',
    async run(probe) {
      const client = await probe.session()
      const none = await probe.deliver(client, '\r\nonly a body\r\n.\r\n')
      const { content } = await storedOf(probe, { extra: 'X-Odd:\tfolded\r\n  and  spaced \r\n' })
      const names = content
        .toString()
        .split(/\r\n(?![ \t])/)
        .map(line => line.replace(/:.*/s, ''))
      // RFC 8601 section 5: what was found out about the message stands on top as well.
      const top = names.find(name => !/^Authentication-Results$/i.test(name))
      probe.must(top === 'Received', `on top: ${names.join()}`)
      probe.must(names.filter(name => name === 'Received').length === 1, 'two Received')
      probe.must(
        content.includes('\r\nX-Odd:\tfolded\r\n  and  spaced \r\n'),
        'a field was changed',
      )
      probe.should(none.code === 554, `no header section: ${none.text}`)
    },
  },
  {
    id: 'D10',
    statement: 'Date and Message-ID are added where they lack; Bcc is removed',
    source: 'RFC 6409 8.1-8.3, RFC 5321 6.4, 7.2',
    level: 'y',
    async run(probe) {
      const { content } = await storedOf(probe, {
        drop: /^(?:Date|Message-ID): .*\r\n/gm,
        extra: 'Bcc: secret@example.org\r\n',
      })
      const text = content.toString()
      probe.should(/^Date: /m.test(text), 'no Date')
      probe.should(/^Message-ID: <[^<>\s]+>\r$/im.test(text), 'no Message-ID')
      probe.must(!text.includes('secret@example.org'), 'Bcc is kept')
    },
  },
  {
    id: 'D11',
    statement: 'A message that was received a hundred times is answered 554 5.4.6',
    source: 'RFC 5321 6.3',
    level: 'M',
    async run(probe) {
      const client = await probe.session()
      const hop = 'Received: from a.example by b.example; Mon, 23 Nov 2026 12:00:00 +0000\r\n'
      const content = `${hop.repeat(100)}${probe.header(probe.marker())}\r\nx\r\n.\r\n`
      const answer = await probe.deliver(client, content)
      probe.must(answer.code >= 500, answer.text)
      probe.should(answer.text.startsWith('554 5.4.6'), answer.text)
      const fewer = `${hop.repeat(90)}${probe.header(probe.marker())}\r\nx\r\n.\r\n`
      probe.expect(await probe.deliver(client, fewer), [250], '90 hops')
    },
  },
  {
    id: 'D12',
    statement: 'Every way to claim a foreign author is refused',
    source: 'RFC 6409 6.1',
    level: 'p',
    async run(probe) {
      const client = await probe.session()
      const { sender } = probe.options
      const foreign = 'mallory@example.invalid'
      for (const from of [
        `<${foreign}>`,
        `${sender}, ${foreign}`,
        `Friends: ${sender}, ${foreign};`,
        `"${sender}" <${foreign}>`,
        `<${sender}> <${foreign}>`,
        `(<${sender}>) ${foreign}`,
        `=?utf-8?q?=3C${sender.replace('@', '=40')}=3E?= <${foreign}>`,
        `<${sender}>\r\nFrom: <${foreign}>`,
        `<${sender}>\r\nSender: <${foreign}>`,
        `<${sender}>\r\nFROM : <${foreign}>`,
        `\r\n <${foreign}>`,
        `<@${sender.replace(/.*@/, '')}:${foreign}>`,
        `<${sender}.>`,
        '',
      ]) {
        const header = probe.header(probe.marker()).replace(/^From: .*$/m, () => `From: ${from}`)
        const answer = await probe.deliver(client, `${header}\r\nx\r\n.\r\n`)
        probe.must(answer.code >= 500, `From: ${from}: ${answer.text}`)
      }
    },
  },
]

/** Submits a message and looks at what was stored. */
async function storedOf(
  probe: Probe,
  options: { readonly extra?: string; readonly drop?: RegExp },
): Promise<Stored> {
  const marker = probe.marker()
  const client = await probe.session()
  const header = probe.header(marker).replaceAll(options.drop ?? /^$/g, '')
  const content = `${header}${options.extra ?? ''}\r\nx\r\n.\r\n`
  probe.expect(await probe.deliver(client, content), [250], 'end of data')
  return probe.stored(marker)
}
