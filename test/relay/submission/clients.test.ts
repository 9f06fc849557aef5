import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { describe, expect, it } from 'vitest'

import { scratchFolder } from '../../support/scratch.ts'
import { missing } from '../../support/server-process.ts'
import { MESSAGE, PASSWORD, run, trusted } from './fixture.ts'

const execute = promisify(execFile)

/** swaks brings TLS only where Net::SSLeay is installed; openssl brings it anywhere. */
function swaks(port: number, options: string): Promise<{ stdout: string }> {
  const pipe = `openssl s_client -quiet -connect 127.0.0.1:${port}`
  const login = ['--auth-user', 'alice', '--auth-password', PASSWORD]
  return execute('swaks', ['--pipe', pipe, ...login, ...options.split(' ')])
}

describe.skipIf(missing('swaks', 'openssl'))('swaks', () => {
  it.each(['PLAIN', 'LOGIN'])('submits with AUTH %s and dotted lines', async auth => {
    const { implicit, store } = await run()
    const { stdout } = await swaks(
      implicit.port,
      `--auth ${auth} --from alice@example.org --to bob@example.net,carol@example.net --body .\n..\nlast`,
    )
    expect(stdout).toContain(`queued as ${store.only.message.id}`)
    expect(store.only.body.toString()).toContain('\r\n\r\n.\r\n..\r\nlast\r\n')
    expect(store.only.message.envelope.recipients.map(r => r.address)).toEqual([
      'bob@example.net',
      'carol@example.net',
    ])
  })

  it('pipelines', async () => {
    const { implicit, store } = await run()
    const options = '--pipeline --auth PLAIN --from alice@example.org --to bob@example.net'
    await swaks(implicit.port, options)
    expect(store.messages).toHaveLength(1)
  })
})

describe.skipIf(missing('curl'))('curl', () => {
  it('verifies the certificate and submits', async () => {
    const { implicit, store } = await run()
    const folder = await scratchFolder()
    const [ca, message, config] = ['ca.crt', 'message.eml', 'curlrc'].map(name =>
      join(folder, name),
    )
    if (!ca || !message || !config) throw new Error('no folder')
    await writeFile(ca, await trusted())
    await writeFile(message, MESSAGE)
    await writeFile(config, `user = "alice:${PASSWORD}"\n`)
    const host = `relay.example.org:${implicit.port}`
    const options = `--silent --show-error --config ${config} --cacert ${ca} --resolve ${host}:127.0.0.1
      --mail-from alice@example.org --mail-rcpt bob@example.net --upload-file ${message} smtps://${host}`
    await execute('curl', options.split(/\s+/))
    expect(store.only.body.toString()).toMatch(/\r\n\r\nHello Bob\r\n$/)
  })
})

const SCRIPT = `
import smtplib, ssl, sys
port, password = int(sys.argv[1]), sys.stdin.readline().strip()
context = ssl._create_unverified_context()
with smtplib.SMTP('127.0.0.1', port) as smtp:
    smtp.ehlo()
    assert not smtp.has_extn('auth'), 'AUTH in clear text'
    smtp.starttls(context=context)
    try:
        smtp.login('alice', 'wrong')
        raise SystemExit('a wrong password was taken')
    except smtplib.SMTPAuthenticationError as refused:
        assert refused.smtp_code == 535, refused
    smtp.login('alice', password)
    try:
        smtp.sendmail('carol@example.org', ['bob@example.net'], 'From: carol@example.org\\r\\n\\r\\nx')
        raise SystemExit('a foreign sender was taken')
    except smtplib.SMTPSenderRefused as refused:
        assert refused.smtp_code == 550, refused
    message = 'From: alice@example.org\\r\\nSubject: gr\\u00fc\\u00dfe\\r\\n\\r\\nh\\u00e9llo\\r\\n'.encode()
    smtp.sendmail('alice@example.org', ['bob@example.net'], message,
        ['BODY=8BITMIME', 'SMTPUTF8', 'RET=HDRS', 'ENVID=a+2Bb'], ['NOTIFY=SUCCESS,DELAY'])
`

describe.skipIf(missing('python3'))('smtplib of Python', () => {
  it('finds extensions, errors and codes where it expects them', async () => {
    const { starttls, store } = await run()
    const child = execute('python3', ['-c', SCRIPT, String(starttls.port)])
    child.child.stdin?.end(`${PASSWORD}\n`)
    await child
    expect(store.only.message.envelope).toEqual({
      reversePath: 'alice@example.org',
      recipients: [{ address: 'bob@example.net', notify: ['success', 'delay'] }],
      eightBit: true,
      smtputf8: true,
      ret: 'headers',
      envid: 'a+2Bb',
    })
    expect(store.only.body.toString()).toContain('héllo')
  })
})
