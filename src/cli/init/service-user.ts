import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const NAME = 'mailcanary'

/** Whom the service runs as, where that is somebody else than we. */
export interface ServiceUser {
  readonly uid: number
  readonly gid: number
}

/** The user that the Debian package makes, where we are root and can hand things over. */
export function serviceUser(): ServiceUser | undefined {
  if (process.getuid?.() !== 0) return undefined
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find(line => line.startsWith(`${NAME}:`))
  const [, , uid, gid] = line?.split(':') ?? []
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) }
}

/** Words that run a command as the service, with the one right that its unit gives it: ports below 1024. */
export function asService(service: ServiceUser | undefined, command: readonly string[]): string[] {
  if (service === undefined) return [...command]
  return [
    'setpriv',
    `--reuid=${service.uid}`,
    `--regid=${service.gid}`,
    '--clear-groups',
    '--inh-caps=-all,+net_bind_service',
    '--ambient-caps=-all,+net_bind_service',
    '--bounding-set=-all,+net_bind_service',
    '--no-new-privs',
    ...command,
  ]
}

/** Whether the service can read a file; root can read any, so it is tried as the service. */
export function canRead(service: ServiceUser | undefined, path: string): boolean {
  if (service === undefined) return true
  const [program = '', ...args] = asService(service, ['test', '-r', path])
  return spawnSync(program, args).status === 0
}
