import { execFile } from 'node:child_process'
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { testCertificates } from '../support/certificates.ts'
import { freePort } from '../support/ports.ts'
import { portOpen, ServerProcess } from '../support/server-process.ts'
import { LOGIN, PASSWORD, type Subject } from './subject.ts'

/** The one that was measured. Installed for a run from the npm registry: it is no dependency of the project. */
const HARAKA = 'haraka@3.3.4'

/** Hands everything to the one next hop. */
const nextHopPlugin = (port: number): string => `
exports.hook_get_mx = (next) => next(OK, { priority: 0, exchange: '127.0.0.1', port: ${port} })
// Haraka tells whom it takes mail for by recipient; here whoever has logged in may write to anybody.
exports.hook_rcpt = (next, connection) => (connection.relaying ? next(OK) : next(DENY))
`

/**
 * Haraka as a submission server: two processes, logins from a file in clear text, its own outbound queue, which syncs each
 * message to the disk before the answer.
 */
export async function startHarakaSubject(folder: string, nextHop: number): Promise<Subject> {
  const config = join(folder, 'config')
  await mkdir(join(folder, 'plugins'), { recursive: true })
  await promisify(execFile)(
    'npm',
    ['install', '--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund', HARAKA],
    { cwd: folder },
  )
  // It starts without its own files, and then dies of the first connection.
  await cp(join(folder, 'node_modules/haraka/config'), config, { recursive: true })
  const { certificate, key } = await (await testCertificates(folder)).issue('mail.example.org')
  const port = await freePort()
  const files = {
    'smtp.ini': `listen=127.0.0.1:${port}\nnodes=2\n`,
    'tls.ini': `key=${key}\ncert=${certificate}\nminVersion=TLSv1.2\n`,
    'auth_flat_file.ini': `[core]\nmethods=PLAIN\nconstrain_sender=false\n[users]\n${LOGIN}=${PASSWORD}\n`,
    'outbound.ini': 'concurrency_max=50\nenable_tls=false\n',
    'log.ini': '[main]\nlevel=notice\n',
    plugins: 'tls\nauth/flat_file\nnext_hop\n',
    me: 'mail.example.org',
    host_list: '',
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(config, name), text)
  await writeFile(join(folder, 'plugins', 'next_hop.js'), nextHopPlugin(nextHop))
  const server = await ServerProcess.start({
    name: 'Haraka',
    command: [process.execPath, join(folder, 'node_modules/haraka/bin/haraka'), '-c', folder],
    log: join(folder, 'haraka.log'),
    ready: signal => portOpen(port, '127.0.0.1', signal),
  })
  return {
    name: 'Haraka',
    port,
    pids: () => [server.pid],
    stop: () => server.stop(),
  }
}
