import { chown, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { createTransport } from 'nodemailer'

import { testCertificates } from './certificates.ts'
import { freePort } from './ports.ts'
import { asNobody, findProgram, portOpen, ServerProcess } from './server-process.ts'

export interface DovecotOptions {
  /** A folder of the caller, which removes it. */
  readonly folder: string
  /** Name of the provider and of the certificate: `gmail.example`. */
  readonly name: string
  /** Address and password of every account. */
  readonly users: Readonly<Record<string, string>>
  /** Sieve script that runs before delivery; the default files what is marked as spam into Junk. */
  readonly sieve?: string
  /** All of 127.0.0.0/8 answers without set-up. */
  readonly ip?: string
  /** False for an account without a junk folder. */
  readonly junk?: boolean
  /** Takes access tokens by XOAUTH2 or OAUTHBEARER, and asks here whether they are good (RFC 7662). */
  readonly oauth?: { readonly mechanism: 'xoauth2' | 'oauthbearer'; readonly introspect: string }
}

export interface Dovecot {
  readonly ip: string
  readonly imapsPort: number
  readonly lmtpPort: number
  /** PEM of the authority to trust. */
  readonly ca: string
  readonly pid: number
  /** Where the Maildirs are: `mail/ADDRESS/Maildir`. */
  readonly mail: string
  /** Delivers a message by LMTP (RFC 2033), as the provider's MX would. */
  deliver(to: string, raw: string | Buffer): Promise<void>
  /** The processes that serve IMAP sessions: stop one by SIGSTOP to have a server that hangs. */
  imapPids(): Promise<readonly number[]>
  stop(): Promise<void>
  /** Starts it again on the same ports with the same mail. */
  start(): Promise<void>
}

const SIEVE = `require ["fileinto", "mailbox"];
if anyof (header :contains "Subject" "[spam]", header :is "X-Spam" "yes") { fileinto "Junk"; stop; }
if header :is "X-Folder" "other" { fileinto :create "Newsletters"; stop; }
if header :is "X-Lost" "yes" { discard; stop; }
`

/** A real IMAP server with Sieve: one instance a provider, LMTP in, IMAPS out. */
export async function startDovecot(options: DovecotOptions): Promise<Dovecot> {
  const { folder, name, ip = '127.0.0.1' } = options
  const imapsPort = await freePort(ip)
  const lmtpPort = await freePort(ip)
  const certificates = await testCertificates(join(folder, 'ca'))
  const pair = await certificates.issue(name, ip)
  const users = Object.entries(options.users).map(
    ([user, password]) => `${user}:{PLAIN}${password}::::::\n`,
  )
  for (const part of ['run', 'state', 'mail', 'sieve']) await mkdir(join(folder, part))
  await writeFile(join(folder, 'users'), users.join(''))
  await writeFile(join(folder, 'sieve', 'before.sieve'), options.sieve ?? SIEVE)
  const config = join(folder, 'dovecot.conf')
  if (options.oauth !== undefined) {
    await writeFile(join(folder, 'oauth2.conf.ext'), introspection(options.oauth.introspect))
  }
  await writeFile(config, configuration({ ...options, ip, imapsPort, lmtpPort, ...pair }))
  if (process.getuid?.() === 0) {
    for (const part of ['', 'run', 'state', 'mail', 'sieve'])
      await chown(join(folder, part), 65_534, 65_534)
  }
  const launch = (): Promise<ServerProcess> =>
    ServerProcess.start({
      name: `dovecot ${name}`,
      command: asNobody([findProgram('dovecot') ?? 'dovecot', '-F', '-c', config]),
      log: join(folder, 'process.log'),
      ready: async signal => {
        await portOpen(imapsPort, ip, signal)
        await portOpen(lmtpPort, ip, signal)
      },
    })
  let server = await launch()
  const lmtp = createTransport({
    host: ip,
    port: lmtpPort,
    lmtp: true,
    secure: false,
    ignoreTLS: true,
  })
  return {
    ip,
    imapsPort,
    lmtpPort,
    ca: certificates.caPem,
    get pid() {
      return server.pid
    },
    mail: join(folder, 'mail'),
    async deliver(to, raw) {
      await lmtp.sendMail({ envelope: { from: '', to: [to] }, raw })
    },
    imapPids: () => childrenOf(server.pid, 'imap'),
    async stop() {
      // SIGTERM leaves open sessions usable: a stopped server must not go on answering.
      const sessions = await childrenOf(server.pid, 'imap')
      await server.stop()
      for (const pid of sessions) kill(pid)
    },
    async start() {
      server = await launch()
    },
  }
}

function introspection(url: string): string {
  return `introspection_mode = post
introspection_url = ${url}
username_attribute = username
active_attribute = active
active_value = true
`
}

function configuration(options: {
  readonly folder: string
  readonly name: string
  readonly ip: string
  readonly imapsPort: number
  readonly lmtpPort: number
  readonly certificate: string
  readonly key: string
  readonly junk?: boolean
  readonly oauth?: DovecotOptions['oauth']
}): string {
  const { folder: d, name, oauth } = options
  const root = process.getuid?.() === 0
  const user = root ? 'nobody' : (process.env['USER'] ?? 'nobody')
  const group = root ? 'nogroup' : user
  return `base_dir = ${d}/run
state_dir = ${d}/state
log_path = ${d}/dovecot.log
protocols = imap lmtp
listen = ${options.ip}
default_internal_user = ${user}
default_internal_group = ${group}
default_login_user = ${user}
first_valid_uid = 1
mail_uid = ${user}
mail_gid = ${group}
ssl = required
ssl_cert = <${options.certificate}
ssl_key = <${options.key}
auth_mechanisms = plain login ${oauth?.mechanism ?? ''}
auth_username_format = %Lu
auth_failure_delay = 0
mail_home = ${d}/mail/%u
mail_location = maildir:~/Maildir
mail_max_userip_connections = 15
${
  oauth === undefined
    ? ''
    : `passdb {
  driver = oauth2
  mechanisms = ${oauth.mechanism}
  args = ${d}/oauth2.conf.ext
}
`
}passdb {
  driver = passwd-file
  mechanisms = plain login
  args = scheme=PLAIN username_format=%u ${d}/users
}
userdb {
  driver = passwd-file
  args = username_format=%u ${d}/users
  default_fields = uid=${user} gid=${group}
}
namespace inbox {
  inbox = yes
  separator = /
${
  options.junk === false
    ? ''
    : `  mailbox Junk {
    auto = subscribe
    special_use = \\Junk
  }
`
}  mailbox Trash {
    auto = create
    special_use = \\Trash
  }
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
service imap-login {
  chroot =
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = ${options.imapsPort}
    ssl = yes
  }
}
service lmtp {
  user = ${user}
  inet_listener lmtp {
    port = ${options.lmtpPort}
  }
}
protocol lmtp {
  mail_plugins = sieve
  postmaster_address = postmaster@${name}
}
plugin {
  sieve_before = ${d}/sieve/before.sieve
  sieve = file:~/sieve;active=~/.dovecot.sieve
}
`
}

/** Children of a process that run a program of this name. */
async function childrenOf(parent: number, program: string): Promise<readonly number[]> {
  const found: number[] = []
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '')
    const match = /^(\d+) \((.*)\) \S (\d+)/.exec(stat)
    if (match?.[2] === program && Number(match[3]) === parent) found.push(Number(match[1]))
  }
  return found
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}
