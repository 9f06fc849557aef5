import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chown, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import type { Stored } from '../conformance/check.ts'
import type { Endpoint } from '../conformance/wire-client.ts'
import { testCertificates } from './certificates.ts'
import { freePort } from './ports.ts'
import { startPostfix } from './postfix.ts'
import { ScriptedSmtp } from './scripted-smtp.ts'
import { asNobody, eventually, findProgram, portOpen, ServerProcess } from './server-process.ts'

export interface PostfixSubmission {
  /** `3.7.11` */
  readonly version: string
  readonly implicit: Endpoint
  readonly starttls: Endpoint
  /** What it has handed to its next hop and holds this text; waits until its queue is empty. */
  stored(marker: string): Promise<readonly Stored[]>
  stop(): Promise<void>
}

/** The version of the Postfix that is installed. */
export async function postfixVersion(): Promise<string> {
  const postconf = findProgram('postconf') ?? 'postconf'
  // Its compiled-in value needs no configuration.
  const { stdout } = await promisify(execFile)(postconf, ['-d', '-h', 'mail_version'])
  return stdout.trim()
}

/**
 * Postfix as a submission server: the two services as Debian's master.cf has them ready, logins checked by Dovecot,
 * `smtpd_sender_login_maps` for who may send as whom. All mail goes on to a next hop that keeps it.
 *
 * Changed from the defaults are the size limit, so that it can be reached, and the pauses after errors, which are time
 * and no behaviour.
 */
export async function startPostfixSubmission(
  folder: string,
  options: { readonly login: string; readonly password: string; readonly sender: string },
): Promise<PostfixSubmission> {
  const { certificate, key } = await (await testCertificates(folder)).issue('mail.example.org')
  const nextHop = await ScriptedSmtp.start({
    offers: ['PIPELINING', 'SIZE 1000000', '8BITMIME', 'SMTPUTF8', 'DSN', 'ENHANCEDSTATUSCODES'],
  })
  const dovecot = await startLogins(join(folder, 'logins'), options)
  const [implicit, starttls] = [await freePort(), await freePort()]
  const senders = join(folder, 'senders')
  await writeFile(senders, `${options.sender} ${options.login}\n`)
  const common = [
    'smtpd_sasl_auth_enable=yes',
    'smtpd_sasl_type=dovecot',
    `smtpd_sasl_path=${dovecot.socket}`,
    'smtpd_tls_auth_only=yes',
    'smtpd_reject_unlisted_recipient=no',
    `smtpd_sender_login_maps=texthash:${senders}`,
    'smtpd_sender_restrictions=reject_sender_login_mismatch',
    'smtpd_recipient_restrictions=',
    'smtpd_relay_restrictions=permit_sasl_authenticated,reject',
    'milter_macro_daemon_name=ORIGINATING',
  ]
  const service = (port: number, ...more: string[]): string =>
    `127.0.0.1:${port} inet n - n - - smtpd\n${[...common, ...more].map(o => `  -o ${o}\n`).join('')}`
  const postfix = await startPostfix(folder, {
    hostname: 'mail.example.org',
    domains: [],
    tls: { certificate, key },
    services:
      service(starttls, 'smtpd_tls_security_level=encrypt') +
      service(implicit, 'smtpd_tls_wrappermode=yes'),
    settings: {
      default_transport: 'smtp',
      relayhost: `[127.0.0.1]:${nextHop.port}`,
      // Who logs in is its own client, whose header it completes (RFC 6409 section 8).
      local_header_rewrite_clients: 'permit_sasl_authenticated',
      message_size_limit: '200000',
      smtpd_error_sleep_time: '0',
      // Debian's default, made explicit: the suite opens connections by the dozen.
      smtpd_client_connection_count_limit: '50',
    },
  })
  // The master opens its ports one after the other.
  const { signal } = new AbortController()
  await portOpen(starttls, '127.0.0.1', signal)
  await portOpen(implicit, '127.0.0.1', signal)
  return {
    version: await postfixVersion(),
    implicit: { host: '127.0.0.1', port: implicit, tls: 'implicit' },
    starttls: { host: '127.0.0.1', port: starttls, tls: 'starttls' },
    async stored(marker) {
      const empty = async (): Promise<boolean> => (await postfix.queued()) === 0
      await eventually(empty, 'the queue of Postfix to be empty')
      return nextHop.messages
        .filter(({ data }) => data.includes(marker))
        .map(({ data, mail, rcpt }) => ({
          content: data,
          recipients: rcpt.map(line => /<(.*)>/.exec(line)?.[1] ?? ''),
          eightBit: /BODY=8BITMIME/i.test(mail),
        }))
    },
    async stop() {
      await postfix.stop()
      await dovecot.stop()
      await nextHop.stop()
    },
  }
}

/**
 * Dovecot as nothing but the one who checks passwords, by a socket.
 *
 * @param options scheme: how the password is stored; PLAIN costs nothing to verify
 */
export async function startLogins(
  folder: string,
  {
    login,
    password,
    scheme = 'PLAIN',
  }: {
    readonly login: string
    readonly password: string
    readonly scheme?: 'PLAIN' | 'SHA512-CRYPT'
  },
): Promise<{ readonly socket: string; readonly pid: number; stop(): Promise<void> }> {
  const root = process.getuid?.() === 0
  const user = root ? 'nobody' : (process.env['USER'] ?? 'nobody')
  for (const part of ['', 'run', 'state']) {
    await mkdir(join(folder, part), { recursive: true, mode: 0o755 })
    if (root) await chown(join(folder, part), 65_534, 65_534)
  }
  const socket = join(folder, 'run', 'logins')
  const hashing = ['pw', '-s', scheme, '-p', password]
  const stored = await promisify(execFile)(findProgram('doveadm') ?? 'doveadm', hashing)
  await writeFile(join(folder, 'users'), `${login}:${stored.stdout.trim()}\n`)
  const configuration = `base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/dovecot.log
protocols =
ssl = no
default_internal_user = ${user}
default_internal_group = ${root ? 'nogroup' : user}
default_login_user = ${user}
auth_mechanisms = plain login
auth_failure_delay = 0
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%u ${folder}/users
}
userdb {
  driver = static
  args = uid=${user} gid=${root ? 'nogroup' : user} home=/nonexistent
}
service anvil {
  chroot =
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  chroot =
}
service auth {
  unix_listener ${socket} {
    mode = 0666
  }
}
`
  const config = join(folder, 'dovecot.conf')
  await writeFile(config, configuration)
  const server = await ServerProcess.start({
    name: 'dovecot for logins',
    command: asNobody([findProgram('dovecot') ?? 'dovecot', '-F', '-c', config]),
    log: join(folder, 'process.log'),
    ready: async signal => {
      const there = (): boolean => signal.aborted || existsSync(socket)
      await eventually(there, 'the socket of Dovecot')
    },
  })
  return { socket, pid: server.pid, stop: () => server.stop() }
}
