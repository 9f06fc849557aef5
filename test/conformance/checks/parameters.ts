import type { Check, Probe } from '../check.ts'
import type { WireClient, WireReply } from '../wire-client.ts'

/** Parameters of MAIL and RCPT: the rest of section E. */
export const PARAMETERS: readonly Check[] = [
  {
    id: 'E04',
    statement: 'An unknown parameter is answered 555',
    source: 'RFC 5321 4.1.1.11',
    level: 'M',
    async run(probe) {
      const client = await probe.session()
      probe.expect(await mail(probe, client, 'XYZZY=1'), [555], 'MAIL XYZZY')
      probe.expect(await mail(probe, client, 'constructor'), [555], 'MAIL constructor')
      await mail(probe, client, '')
      probe.expect(await rcpt(probe, client, 'XYZZY=1'), [555], 'RCPT XYZZY')
      probe.expect(await rcpt(probe, client, 'SIZE=1'), [555], 'RCPT SIZE')
    },
  },
  {
    id: 'E05',
    statement: 'BODY=BINARYMIME is refused where it is not offered',
    source: 'RFC 3030 3, RFC 5321 4.1.1.11',
    level: 'M',
    async run(probe) {
      const client = await probe.session()
      probe.expect(await mail(probe, client, 'BODY=BINARYMIME'), [555, 504, 501], 'BINARYMIME')
    },
  },
  {
    id: 'E06',
    statement: 'SIZE over the limit is answered 552 5.3.4, junk and twice 501',
    source: 'RFC 1870 6.1',
    level: 'p',
    async run(probe) {
      const client = await probe.session()
      const offered = probe.extensions(await client.command('EHLO client.example.org'))
      const limit = Number(offered.get('SIZE'))
      probe.need(limit > 0, 'no limit is announced')
      const over = await mail(probe, client, `SIZE=${limit + 1}`)
      probe.must(over.text.startsWith('552 5.3.4'), over.text)
      probe.expect(await mail(probe, client, `SIZE=${limit}`), [250], 'just the limit')
      for (const junk of ['SIZE=abc', 'SIZE', 'SIZE=-1', 'SIZE=1 SIZE=1']) {
        probe.expect(await mail(probe, client, junk), refusals(junk), junk)
      }
      // Section 5 allows twenty digits; to read more as a number that is too big is no harm.
      const digits = await mail(probe, client, `SIZE=${'1'.repeat(21)}`)
      probe.expect(digits, [501, 552], '21 digits')
    },
  },
  {
    id: 'E07',
    statement: 'RET and ENVID, malformed or twice, are answered 501; valid ones change nothing',
    source: 'RFC 3461 4.3-4.5, 5.1',
    level: 'M',
    async run(probe) {
      const client = await needDsn(probe)
      for (const bad of [
        'RET=FULL RET=HDRS',
        'RET=SOME',
        'RET',
        'ENVID=a ENVID=b',
        'ENVID=a+zz',
        'ENVID=a+0d+0a',
        'ENVID=a+0D+0Ab',
        'ENVID',
      ]) {
        probe.expect(await mail(probe, client, bad), refusals(bad), bad)
      }
      const without = await mail(probe, client, '')
      const withBoth = await mail(probe, client, 'RET=full ENVID=a+2Bb')
      probe.must(without.text === withBoth.text, `${without.text} / ${withBoth.text}`)
    },
  },
  {
    id: 'E08',
    statement: 'NOTIFY=NEVER stands alone; NOTIFY and ORCPT come once',
    source: 'RFC 3461 4.1, 4.5, 5.1',
    level: 'M',
    async run(probe) {
      const client = await needDsn(probe)
      await mail(probe, client, '')
      for (const bad of [
        'NOTIFY=NEVER,DELAY',
        'NOTIFY=SOMETIMES',
        'NOTIFY=NEVER NOTIFY=NEVER',
        'NOTIFY',
        'ORCPT=rfc822;a@example.org ORCPT=rfc822;a@example.org',
        'ORCPT=bob',
      ]) {
        probe.expect(await rcpt(probe, client, bad), refusals(bad), bad)
      }
      for (const good of [
        'NOTIFY=NEVER',
        'NOTIFY=success,DELAY',
        'ORCPT=rfc822;a+2Bb@example.org',
      ]) {
        probe.expect(await rcpt(probe, client, good), [250], good)
      }
      // RFC 3461 section 4.2 forbids the client to send what is not printable.
      const crlf = await rcpt(probe, client, 'ORCPT=rfc822;a+0D+0Ab')
      probe.should(crlf.code === 501, `ORCPT with CR and LF: ${crlf.text}`)
    },
  },
  {
    id: 'E09',
    statement: 'ENVID of 100 and ORCPT of 500 characters, in a line of 1,036 octets, are taken',
    source: 'RFC 3461 5.4',
    level: 'M',
    async run(probe) {
      const client = await needDsn(probe)
      probe.expect(await mail(probe, client, `ENVID=${'e'.repeat(100)}`), [250], 'ENVID')
      const orcpt = `rfc822;${'o'.repeat(481)}@example.org`
      probe.expect(await rcpt(probe, client, `NOTIFY=SUCCESS ORCPT=${orcpt}`), [250], 'ORCPT')
      const domain = `${'d'.repeat(60)}.${'d'.repeat(60)}.${'d'.repeat(57)}.example`
      const long = `RCPT TO:<${'l'.repeat(64)}@${domain}> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=${orcpt}`
      const padded = long + ' '.repeat(Math.max(0, 1_034 - long.length))
      probe.expect(await client.command(padded), [250], `a line of ${padded.length + 2} octets`)
    },
  },
]

/** A keyword without its value may be taken for one that is not known. */
function refusals(parameter: string): readonly number[] {
  return parameter.includes('=') ? [501] : [501, 555]
}

async function needDsn(probe: Probe): Promise<WireClient> {
  const client = await probe.session()
  const offered = probe.extensions(await client.command('EHLO client.example.org'))
  probe.need(offered.has('DSN'), 'DSN is not offered')
  return client
}

/** A MAIL of its own: an earlier transaction is forgotten first. */
async function mail(probe: Probe, client: WireClient, parameters: string): Promise<WireReply> {
  await client.command('RSET')
  return client.command(`MAIL FROM:<${probe.options.sender}> ${parameters}`.trimEnd())
}

function rcpt(probe: Probe, client: WireClient, parameters: string): Promise<WireReply> {
  return client.command(`RCPT TO:<${probe.options.recipient}> ${parameters}`.trimEnd())
}
