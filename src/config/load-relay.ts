import { trustProblem } from '../base/network-range.ts'
import { Problem } from '../base/problem.ts'
import type { Secret } from '../base/secret.ts'
import type { ServerIdentities } from '../base/server-tls.ts'
import { readAdmin, type LoadedAdmin } from './admin.ts'
import { readIdentities } from './certificates.ts'
import { isLoopback } from './loopback.ts'
import type { ProblemList } from './problem-list.ts'
import { relaySchema, type RelayConfig } from './relay-schema.ts'
import { readNamedFile, readSecret } from './secrets.ts'
import { readStore, type LoadedStore } from './store.ts'
import { loadYaml } from './yaml-file.ts'

/** The relay's configuration with everything it names read in. */
export interface LoadedRelay {
  readonly path: string
  readonly config: RelayConfig
  /** The database of the queue; undefined where it is a file. */
  readonly store: LoadedStore | undefined
  readonly admin: LoadedAdmin
  readonly tls: ServerIdentities
  readonly ldap: { readonly ca: string | undefined; readonly bindPassword: Secret } | undefined
  readonly smarthost: { readonly ca: string | undefined; readonly password: Secret | undefined }
}

/**
 * @param providers names of those that `delivery.shaping` may be about; not looked at if undefined
 * @throws Problem that lists everything wrong with the file and with what it names
 */
export async function loadRelay(path: string, providers?: readonly string[]): Promise<LoadedRelay> {
  const { value: config, problems } = await loadYaml(path, relaySchema)
  const { ldap, export_file: exportFile } = config.directory
  const { smarthost } = config.delivery
  const { submissions, submission, local } = config.listen
  if (submission.length + submissions.length + local.length === 0) {
    problems.add(['listen'], 'names no address: add submissions, submission or both')
  }
  for (const [i, { address, networks }] of local.entries()) {
    const problem = trustProblem(address.host, networks)
    if (problem === undefined) continue
    const key = networks === undefined || networks.length === 0 ? 'address' : 'networks'
    problems.add(['listen', 'local', i, key], problem)
  }
  if (ldap === undefined && exportFile === undefined) {
    problems.add(['directory'], 'needs a source of logins: add ldap or export_file')
  }
  if (ldap !== undefined && ldap.starttls && ldap.url.startsWith('ldaps:')) {
    problems.add(
      ['directory', 'ldap', 'starttls'],
      'ldaps speaks TLS from the start: use ldap://, or leave it out',
    )
  }
  const { web } = config
  const write = web?.account?.write_url
  for (const [url, at] of [
    [ldap?.url, ['directory', 'ldap', 'url']],
    [write, ['web', 'account', 'write_url']],
  ] as const) {
    if (url === undefined || url.startsWith('ldaps:') || ldap?.starttls === true) continue
    if (!isLoopback(url)) {
      problems.add(at, 'would send the password in clear: use ldaps://, or add starttls: true')
    }
  }
  if (write !== undefined && ldap === undefined) {
    problems.add(['web', 'account', 'write_url'], 'is for a directory that is read by ldap')
  }
  for (const [i, proxy] of (web?.proxies ?? []).entries()) {
    const problem = trustProblem('', [proxy])
    if (problem !== undefined) problems.add(['web', 'proxies', i], problem)
  }
  if (smarthost?.tls === 'none' && !isLoopback(`smtp://${smarthost.host}`)) {
    problems.add(
      ['delivery', 'smarthost', 'tls'],
      'none is only for a smarthost on this host: use implicit or starttls',
    )
  }
  if (config.delivery.delay_notice_after > config.delivery.give_up_after) {
    problems.add(['delivery', 'delay_notice_after'], 'should not be longer than give_up_after')
  }
  if (providers !== undefined) checkShaping(problems, config, providers)
  const tls = readIdentities(problems, config, Date.now())
  const bindPassword = ldap && readSecret(problems, ['directory', 'ldap'], ldap, 'bind_password')
  if (ldap !== undefined && bindPassword === undefined && problems.isEmpty) {
    problems.add(['directory', 'ldap'], 'needs bind_password_file or bind_password_env')
  }
  const ldapCa = ldap?.ca && readNamedFile(problems, ['directory', 'ldap', 'ca'], ldap.ca)
  const smarthostCa =
    smarthost?.ca && readNamedFile(problems, ['delivery', 'smarthost', 'ca'], smarthost.ca)
  const password =
    smarthost && readSecret(problems, ['delivery', 'smarthost'], smarthost, 'password')
  if (smarthost?.username !== undefined && password === undefined && problems.isEmpty) {
    problems.add(
      ['delivery', 'smarthost', 'username'],
      'needs password_file or password_env beside it',
    )
  }
  const store = readStore(problems, config.store)
  const admin = readAdmin(problems, config.admin, Date.now())
  problems.throwIfAny()
  if (tls === undefined) throw new Problem(`${path}: tls: no certificate could be read`)
  return {
    path,
    config,
    store,
    admin,
    tls,
    ldap: bindPassword && { ca: ldapCa, bindPassword },
    smarthost: { ca: smarthostCa, password },
  }
}

function checkShaping(
  problems: ProblemList,
  config: RelayConfig,
  providers: readonly string[],
): void {
  for (const name of Object.keys(config.delivery.shaping)) {
    if (providers.includes(name)) continue
    problems.add(
      ['delivery', 'shaping', name],
      `no provider has this name, known are ${providers.join(', ')}; describe another under providers in probes.yaml`,
      'key',
    )
  }
}
