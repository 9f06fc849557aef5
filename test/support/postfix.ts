import { execFile } from 'node:child_process'
import { chown, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { freePort } from './ports.ts'
import { findProgram, portOpen, ServerProcess } from './server-process.ts'

export interface PostfixOptions {
  readonly hostname?: string
  /** Domains whose mail it takes; every local part exists. */
  readonly domains: readonly string[]
  /** `maildir` keeps all mail in one folder for `messages()`; `discard` forgets it. */
  readonly deliver?: 'maildir' | 'discard' | { readonly lmtp: { host: string; port: number } }
  readonly address?: string
  readonly port?: number
  /** Paths. */
  readonly tls?: { readonly certificate: string; readonly key: string }
  /** More services, as lines of master.cf. */
  readonly services?: string
  /** More of main.cf; wins over what is above. With `default_transport: smtp` other mail is not discarded. */
  readonly settings?: Readonly<Record<string, string>>
}

export interface Postfix {
  readonly address: string
  readonly port: number
  /** Of its master. */
  readonly pid: number
  /** Path of its mail log. */
  readonly log: string
  /** What `maildir` has received, without order. Postfix has added its headers; lines end in LF. */
  messages(): Promise<readonly Buffer[]>
  /** Runs its sendmail: `sendmail(['-f', 'alice@example.org', 'bob@example.net'], text)`. */
  sendmail(args: readonly string[], message: string): Promise<void>
  /** Its queue, one message a line in JSON: `postqueue -j`. */
  queue(): Promise<string>
  /** How many messages are in its queue. */
  queued(): Promise<number>
  /** Reads its files again and tries what is in the queue. */
  retry(): Promise<void>
  stop(): Promise<void>
}

/** The reason why no Postfix can be started here although it is installed, or undefined: its master needs root. */
export function postfixNeedsRoot(): string | undefined {
  return process.getuid?.() === 0 ? undefined : 'needs root: Postfix drops its rights by itself'
}

/** A Postfix of its own, all of it in one folder. Several may run side by side. */
export async function startPostfix(folder: string, options: PostfixOptions): Promise<Postfix> {
  const program = findProgram('postfix')
  if (program === undefined) throw new Error('postfix is not installed')
  const home = join(folder, 'postfix')
  const etc = join(home, 'etc')
  const inbox = join(home, 'mail', 'inbox')
  const address = options.address ?? '127.0.0.1'
  const port = options.port ?? (await freePort(address))
  for (const part of ['etc', 'queue', 'data', 'mail']) {
    await mkdir(join(home, part), { recursive: true, mode: 0o755 })
  }
  await chown(join(home, 'data'), await idOf('-u', 'postfix'), 0)
  await chown(join(home, 'mail'), NOBODY, NOGROUP)
  for (const name of ['postfix-files', 'postfix-files.d', 'dynamicmaps.cf']) {
    await cp(join('/etc/postfix', name), join(etc, name), { recursive: true })
  }
  await writeFile(join(etc, 'main.cf'), mainCf(home, folder, options))
  await writeFile(join(etc, 'master.cf'), masterCf(address, port) + (options.services ?? ''))
  const run = promisify(execFile)
  // Makes the queue's folders. `start` would hide the master's pid behind a script.
  await run(program, ['-c', etc, 'check'])
  const daemons = (
    await run(findProgram('postconf') ?? 'postconf', ['-c', etc, '-h', 'daemon_directory'])
  ).stdout
  const master = await ServerProcess.start({
    name: 'postfix',
    // The master signals its whole process group when it ends: it must have one of its own.
    command: ['setsid', join(daemons.trim(), 'master'), '-c', etc, '-d'],
    log: join(home, 'master.log'),
    ready: signal => portOpen(port, address, signal),
  })
  const queue = async (): Promise<string> =>
    (await run(findProgram('postqueue') ?? 'postqueue', ['-c', etc, '-j'])).stdout
  return {
    address,
    port,
    pid: master.pid,
    log: join(home, 'mail.log'),
    async messages() {
      const names = await readdir(join(inbox, 'new')).catch(() => [])
      return Promise.all(names.map(name => readFile(join(inbox, 'new', name))))
    },
    async sendmail(args, message) {
      const sendmail = findProgram('sendmail') ?? 'sendmail'
      const running = run(sendmail, ['-C', etc, ...args])
      running.child.stdin?.end(message)
      await running
    },
    queue,
    queued: async () => (await queue()).split('\n').filter(line => line !== '').length,
    async retry() {
      await run(program, ['-c', etc, 'reload'])
      await run(program, ['-c', etc, 'flush'])
    },
    stop: () => master.stop(),
  }
}

const NOBODY = 65_534
const NOGROUP = 65_534

function mainCf(home: string, folder: string, options: PostfixOptions): string {
  const { deliver = 'maildir', tls } = options
  const transport =
    deliver === 'maildir'
      ? 'virtual:'
      : deliver === 'discard'
        ? 'discard:'
        : `lmtp:inet:${deliver.lmtp.host}:${deliver.lmtp.port}`
  const settings: Record<string, string> = {
    compatibility_level: '3.6',
    config_directory: join(home, 'etc'),
    queue_directory: join(home, 'queue'),
    data_directory: join(home, 'data'),
    maillog_file: join(home, 'mail.log'),
    maillog_file_prefixes: `/var, ${folder}`,
    // The address to listen on stands in master.cf: here one that is not 127.0.0.1 would be fatal.
    inet_interfaces: 'loopback-only',
    inet_protocols: 'ipv4',
    myhostname: options.hostname ?? 'mx1.example.net',
    mydestination: '',
    local_recipient_maps: '',
    alias_maps: '',
    mynetworks: '127.0.0.1/32',
    disable_dns_lookups: 'yes',
    virtual_mailbox_domains: options.domains.join(', '),
    virtual_mailbox_base: join(home, 'mail'),
    virtual_mailbox_maps: 'static:inbox/',
    virtual_uid_maps: `static:${NOBODY}`,
    virtual_gid_maps: `static:${NOGROUP}`,
    virtual_transport: transport,
    default_transport: 'discard:',
    smtpd_relay_restrictions: 'permit_mynetworks, reject_unauth_destination',
    smtpd_client_connection_rate_limit: '0',
  }
  if (tls) {
    settings['smtpd_tls_security_level'] = 'may'
    settings['smtpd_tls_cert_file'] = tls.certificate
    settings['smtpd_tls_key_file'] = tls.key
    settings['smtpd_tls_received_header'] = 'yes'
  }
  return Object.entries({ ...settings, ...options.settings })
    .map(([key, value]) => `${key} = ${value}\n`)
    .join('')
}

function masterCf(address: string, port: number): string {
  return `${address}:${port} inet n - n - - smtpd
pickup  unix n - n 60  1 pickup
cleanup unix n - n -   0 cleanup
qmgr    unix n - n 300 1 qmgr
tlsmgr  unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce  unix - - n - 0 bounce
defer   unix - - n - 0 bounce
trace   unix - - n - 0 bounce
verify  unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp    unix - - n - - smtp
showq   unix n - n - - showq
error   unix - - n - - error
retry   unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
lmtp    unix - - n - - lmtp
anvil   unix - - n - 1 anvil
scache  unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`
}

async function idOf(flag: '-u' | '-g', name: string): Promise<number> {
  const { stdout } = await promisify(execFile)('id', [flag, name])
  return Number(stdout)
}
