import { isIP } from 'node:net'

import type { z } from 'zod'

import { Problem } from '../base/problem.ts'
import type { Secret } from '../base/secret.ts'
import { ServerIdentities } from '../base/server-tls.ts'
import { readPair } from './certificates.ts'
import type { commonShape } from './common-schema.ts'
import { isLoopback } from './loopback.ts'
import type { KeyPath, ProblemList } from './problem-list.ts'
import { readSecret } from './secrets.ts'

/** What the admin listener shows of itself, and wants to be shown. */
export interface LoadedAdmin {
  readonly tls: ServerIdentities | undefined
  readonly token: Secret | undefined
}

type AdminConfig = z.infer<(typeof commonShape)['admin']>

// 96 bits in base 64: nobody guesses that, however fast they may ask.
const SHORTEST_TOKEN = 16

/** Reads certificate and token, and refuses an address that strangers can reach without them. */
export function readAdmin(problems: ProblemList, config: AdminConfig, now: number): LoadedAdmin {
  const { listen, tls, token_file: file, token_env: variable } = config
  const token = readSecret(problems, ['admin'], config, 'token')
  if (token !== undefined && token.reveal().length < SHORTEST_TOKEN) {
    problems.add(
      ['admin', file === undefined ? 'token_env' : 'token_file'],
      `should hold at least ${SHORTEST_TOKEN} characters; openssl rand -base64 24 makes some`,
    )
  }
  const wanting = [
    ...(tls === undefined ? ['admin.tls'] : []),
    ...(file === undefined && variable === undefined ? ['admin.token_file'] : []),
  ]
  const { host } = listen
  if (wanting.length > 0 && !isLoopback(`http://${isIP(host) === 6 ? `[${host}]` : host}`)) {
    problems.add(
      ['admin', 'listen'],
      `can be reached from other hosts and needs ${wanting.join(' and ')}; or let it listen on 127.0.0.1`,
    )
  }
  const pair = tls && readPair(problems, ['admin', 'tls'], tls, { now, hostname: undefined })
  return { token, tls: pair && new ServerIdentities([pair]) }
}

/** The certificate once more, for a daemon that already runs. @throws Problem with all that is wrong, in a line */
export function rereadAdminCertificate(
  tls: NonNullable<AdminConfig['tls']>,
  now: number,
): ServerIdentities {
  const complaints: string[] = []
  const add = (path: KeyPath, text: string): number => complaints.push(`${path.join('.')}: ${text}`)
  const pair = readPair({ add }, ['admin', 'tls'], tls, { now, hostname: undefined })
  if (pair === undefined) throw new Problem(complaints.join('; '))
  return new ServerIdentities([pair])
}
