import { execFile } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { createTransport, type Transporter } from 'nodemailer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { ssha } from '../support/password.ts'
import { makeScratch } from '../support/scratch.ts'
import type { SeenMessage } from '../support/scripted-session.ts'
import { ScriptedSmtp } from '../support/scripted-smtp.ts'
import { eventually, missing } from '../support/server-process.ts'
import { RELAY_NAME, Site } from '../support/site.ts'

const run = promisify(execFile)

// A module of Debian's Python, not a program: its folder tells.
const noJudge = existsSync('/usr/lib/python3/dist-packages/dkim')
  ? undefined
  : missing('python3-dkim')
const PASSWORD = 'canary-demo'
const HEADER =
  'Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <%@example.org>\r\nFrom: alice@example.org\r\n'
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1')

/** Messages that programs like to change on their way: the part behind our own header must not differ in one octet. */
const CORPUS: Readonly<Record<string, Buffer>> = {
  plain: latin1('Subject: plain\r\n\r\nHello\r\n'),
  'no body': latin1('Subject: none\r\n\r\n'),
  'one empty line': latin1('Subject: empty\r\n\r\n\r\n'),
  'many empty lines at the end': latin1(`Subject: empty\r\n\r\nx${'\r\n'.repeat(50)}`),
  dots: latin1('Subject: dots\r\n\r\n.\r\n..\r\n...\r\n.x\r\n. \r\n'),
  'a thousand dots': latin1(`Subject: dots\r\n\r\n${'.\r\n'.repeat(1_000)}`),
  'lines of 998': latin1(`Subject: long\r\n\r\n${`${'x'.repeat(998)}\r\n`.repeat(5)}`),
  'blanks at ends of lines': latin1('Subject: blanks \r\n\r\n \r\n\t\r\nx \t \r\n'),
  'UTF-8': Buffer.from(
    'Subject: utf8\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGrüße 🐤 ‎\u2028\r\n',
  ),
  'every octet': Buffer.concat([
    latin1('Subject: octets\r\nContent-Type: application/octet-stream\r\n\r\n'),
    // CR and LF only as a pair.
    Buffer.from(Array.from({ length: 256 }, (_, n) => n).filter(n => n !== 10 && n !== 13)),
    latin1('\r\n'),
  ]),
  'odd folding': latin1(
    'Subject: a\r\n\tb\r\n  c\r\nX-Empty:\r\nX-Tab:\tx\r\nx-lower: y\r\n\r\nx\r\n',
  ),
  'a header of 30 kB': latin1(
    `Subject: big\r\nX-Big: ${'abc def\r\n '.repeat(3_000)}end\r\n\r\nx\r\n`,
  ),
  'the same field twice': latin1(
    'Subject: twice\r\nX-A: 1\r\nX-A: 2\r\nComments: a\r\nComments: b\r\n\r\nx\r\n',
  ),
  'a From line in the body': latin1('Subject: from\r\n\r\nFrom alice Mon Nov 23\r\n>From bob\r\n'),
  'odd MIME': latin1(
    'Subject: mime\r\nMIME-Version: 1.0 (odd)\r\nContent-Type: multipart/mixed;boundary="=_ b"\r\n\r\n' +
      'preamble\r\n--=_ b\r\n\r\n--=_ b \r\nContent-Type:text/html\r\n\r\n<p>\r\n--=_ b--\r\nepilogue',
  ),
  'foreign Received and Return-Path-like': latin1(
    'Received: from a by b; x\r\nX-Return-Path: <c>\r\n\r\nx\r\n',
  ),
}

describe('what is submitted arrives octet for octet', () => {
  let folder: string
  let site: Site
  let sink: ScriptedSmtp
  let client: Transporter

  beforeAll(async () => {
    folder = await makeScratch()
    site = await Site.create(folder)
    sink = await ScriptedSmtp.start({
      offers: ['8BITMIME', 'SMTPUTF8', 'PIPELINING', 'ENHANCEDSTATUSCODES'],
    })
    await writeFile(join(folder, 'passwords'), `alice:${ssha(PASSWORD)}\n`)
    await site.configure({
      directory: `  domains: [example.org]\n  export_file: {path: ${join(folder, 'passwords')}}`,
      delivery: `  smarthost: {host: 127.0.0.1, port: ${sink.port}, tls: none}`,
    })
    await site.start()
    client = createTransport({
      host: '127.0.0.1',
      port: site.ports.submissions,
      secure: true,
      auth: { user: 'alice', pass: PASSWORD },
      tls: { ca: site.certificates.caPem, servername: RELAY_NAME },
    })
  })

  afterAll(async () => {
    client.close()
    await site.stop()
    await sink.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const envelope = { from: 'alice@example.org', to: ['bob@example.net'] }

  function arrived(id: string): Promise<SeenMessage> {
    return eventually(
      () => sink.messages.find(({ data }) => data.includes(`<${id}@example.org>`)),
      id,
    )
  }

  test.each(Object.entries(CORPUS))('%s', async (name, rest) => {
    const id = name.replaceAll(/[^a-z0-9]/gi, '-')
    const raw = Buffer.concat([latin1(HEADER.replace('%', id)), rest])
    await client.sendMail({ envelope, raw })
    const { data } = await arrived(id)
    // A last line without an end is given one; nothing else may be added behind our header.
    const expected =
      raw.subarray(-2).toString('latin1') === '\r\n' ? raw : Buffer.concat([raw, latin1('\r\n')])
    const ours = data.subarray(0, data.length - expected.length).toString('latin1')
    expect(data.subarray(ours.length).equals(expected)).toBe(true)
    expect(ours).toMatch(/^Received: [^\r\n]+(?:\r\n\t[^\r\n]+)*\r\n$/)
  })

  test.skipIf(noJudge)('a DKIM signature made before is still good', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', {
      modulusLength: 2_048,
      publicKeyEncoding: { type: 'spki', format: 'der' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    })
    await client.sendMail({
      from: 'alice@example.org',
      to: 'bob@example.net',
      subject: 'signed',
      messageId: '<signed@example.org>',
      text: 'Signed with simple canonicalisation or not: \n.\n.. \n',
      dkim: { domainName: 'example.org', keySelector: 'test', privateKey },
    })
    const { data } = await arrived('signed')
    expect(data.toString()).toContain('DKIM-Signature:')
    const judge = `
import dkim, sys
record = b'v=DKIM1; k=rsa; p=' + sys.argv[1].encode()
print(dkim.verify(sys.stdin.buffer.read(), dnsfunc=lambda name, timeout=5: record))
`
    const verify = async (message: Buffer): Promise<string> => {
      const running = run('/usr/bin/python3', ['-c', judge, publicKey.toString('base64')])
      running.child.stdin?.end(message)
      return (await running).stdout.trim()
    }
    expect(await verify(data)).toBe('True')
    // The judge can say no.
    expect(
      await verify(Buffer.from(data.toString('latin1').replace('canonicalisation', 'x'), 'latin1')),
    ).toBe('False')
  })
})
