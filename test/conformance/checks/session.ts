import type { Check } from '../check.ts'

/** What a session may take and show: the rest of section C. */
export const SESSION: readonly Check[] = [
  {
    id: 'C14',
    statement: 'A silent client has five minutes',
    source: 'RFC 5321 4.5.3.2.7',
    level: 'S',
    async run(probe) {
      probe.need(probe.options.drastic === true, 'takes minutes')
      const client = await probe.session()
      const ended = client.closed().then(
        () => true,
        () => false,
      )
      await new Promise(resolve => setTimeout(resolve, 15_000))
      probe.should(!(await Promise.race([ended, Promise.resolve(false)])), 'closed within 15 s')
      probe.inconclusive('still open after 15 s, five minutes are not waited for')
    },
  },
  {
    id: 'C15',
    statement: 'The end of data is answered within two minutes',
    source: 'RFC 6409 5.3',
    level: 'M',
    async run(probe) {
      const marker = probe.marker()
      const client = await probe.session()
      const answer = await probe.deliver(client, `${probe.header(marker)}\r\nx\r\n.\r\n`)
      probe.expect(answer, [250], 'end of data')
    },
  },
  {
    id: 'C16',
    statement: 'VRFY confirms nobody, EXPN is not offered',
    source: 'RFC 5321 3.5.3, 7.3',
    level: 'S',
    async run(probe) {
      const client = await probe.session()
      const known = await client.command(`VRFY ${probe.options.sender}`)
      const unknown = await client.command('VRFY nobody-at-all@example.invalid')
      probe.must(known.code === unknown.code, `tells them apart: ${known.text} / ${unknown.text}`)
      probe.expect(known, [252, 550, 502], 'VRFY')
      probe.must((await client.command('EXPN staff')).code >= 500, 'EXPN works')
    },
  },
  {
    id: 'C17',
    statement: 'ETRN and ATRN are not offered',
    source: 'RFC 6409 7',
    level: 'MN',
    async run(probe) {
      const client = await probe.session()
      const offered = probe.extensions(await client.command('EHLO client.example.org'))
      for (const verb of ['ETRN', 'ATRN']) {
        probe.must(!offered.has(verb), `offers ${verb}`)
        probe.must((await client.command(`${verb} example.org`)).code >= 500, `${verb} works`)
      }
    },
  },
  {
    id: 'C18',
    statement: 'Every keyword of EHLO works, and nothing works that is not listed',
    source: 'RFC 5321 4.1.1.1, 4.2.4',
    level: 'M',
    async run(probe) {
      const client = await probe.session()
      const offered = probe.extensions(await client.command('EHLO client.example.org'))
      for (const [keyword, parameter] of [
        ['SIZE', 'SIZE=1000'],
        ['8BITMIME', 'BODY=8BITMIME'],
        ['SMTPUTF8', 'SMTPUTF8'],
        ['DSN', 'RET=HDRS'],
        ['BINARYMIME', 'BODY=BINARYMIME'],
        ['REQUIRETLS', 'REQUIRETLS'],
        ['DELIVERBY', 'BY=120;R'],
        ['FUTURERELEASE', 'HOLDFOR=60'],
        ['MT-PRIORITY', 'MT-PRIORITY=3'],
      ] as const) {
        const answer = await client.command(`MAIL FROM:<${probe.options.sender}> ${parameter}`)
        const listed = offered.has(keyword) ? 'listed' : 'not listed'
        probe.must(
          (answer.code === 250) === offered.has(keyword),
          `${keyword}, ${listed}: ${answer.text}`,
        )
        await client.command('RSET')
      }
      const chunk = await client.command('BDAT 0 LAST')
      probe.must(offered.has('CHUNKING') || chunk.code >= 500, `BDAT, not listed: ${chunk.text}`)
    },
  },
]
