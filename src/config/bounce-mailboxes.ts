import type { Secret } from '../base/secret.ts'
import type { ProbesConfig } from './probes-schema.ts'
import type { ProblemList } from './problem-list.ts'
import { readNamedFile, readSecret } from './secrets.ts'

/** RFC 5321 section 4.5.3.1.1 has 64 octets for a local part; a plus sign and a token are 34 of them. */
const LONGEST_LOCAL_PART = 30

/** What signing in to each bounce mailbox takes. What is missing or wrong is listed. */
export function readBounces(
  problems: ProblemList,
  config: ProbesConfig,
): Map<string, { readonly ca: string | undefined; readonly password: Secret | undefined }> {
  const read = new Map<string, { ca: string | undefined; password: Secret | undefined }>()
  for (const [name, row] of Object.entries(config.bounces)) {
    const at = ['bounces', name]
    const password = readSecret(problems, at, row, 'password')
    if (password === undefined && row.password_file === undefined && row.password_env === undefined)
      problems.add(at, 'needs password_file or password_env')
    if (row.imap.username === undefined && row.address === undefined) {
      problems.add([...at, 'imap'], 'needs username: who signs in')
    }
    const ca = row.imap.ca && readNamedFile(problems, [...at, 'imap', 'ca'], row.imap.ca)
    read.set(name, { ca, password })
  }
  for (const [name, origin] of Object.entries(config.origins)) {
    if (origin.bounces === undefined) continue
    const at = ['origins', name, 'bounces']
    const row = config.bounces[origin.bounces]
    if (row === undefined) {
      problems.add(at, `there are no bounces ${origin.bounces}: describe the mailbox under bounces`)
    } else if ((row.address ?? origin.from).lastIndexOf('@') > LONGEST_LOCAL_PART) {
      problems.add(
        at,
        `reports come back to an address with a token in it: its first part should have at most ${LONGEST_LOCAL_PART} characters`,
      )
    }
  }
  return read
}

export interface TraceCredentials {
  readonly ca: string | undefined
  readonly token: Secret | undefined
}

/** What asking the admin listener of a relay elsewhere takes. */
export function readTrace(
  problems: ProblemList,
  name: string,
  origin: ProbesConfig['origins'][string],
): TraceCredentials {
  const at = ['origins', name]
  const token = readSecret(problems, at, origin, 'trace_token')
  const ca = origin.trace_ca && readNamedFile(problems, [...at, 'trace_ca'], origin.trace_ca)
  if (!isRemote(origin.trace)) {
    for (const key of ['trace_token_file', 'trace_token_env', 'trace_ca'] as const) {
      if (origin[key] === undefined) continue
      problems.add([...at, key], 'is for a trace that is a URL: there is none here', 'key')
    }
  }
  return { ca, token }
}

/** Whether a relay on another host is asked. */
export function isRemote(trace: ProbesConfig['origins'][string]['trace']): boolean {
  return trace !== 'local' && trace !== 'none'
}
