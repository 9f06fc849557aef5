import type { z } from 'zod'

import type { Secret } from '../base/secret.ts'
import type { commonShape } from './common-schema.ts'
import type { ProblemList } from './problem-list.ts'
import { readSecret } from './secrets.ts'

/** A database that nodes share. */
export interface LoadedStore {
  /** With its password. */
  readonly url: Secret
  readonly connections: number
}

/** @returns undefined where everything is kept in files, or where a problem was listed */
export function readStore(
  problems: ProblemList,
  { postgres }: z.infer<(typeof commonShape)['store']>,
): LoadedStore | undefined {
  if (postgres === undefined) return undefined
  const at = ['store', 'postgres']
  const { connections, url_file: file, url_env: variable } = postgres
  if (file === undefined && variable === undefined) problems.add(at, 'needs url_file or url_env')
  const url = readSecret(problems, at, postgres, 'url')
  if (url === undefined) return undefined
  const key = file === undefined ? 'url_env' : 'url_file'
  // Without a word of what it holds.
  if (!isDatabaseUrl(url)) {
    problems.add([...at, key], 'should hold postgres://USER:PASSWORD@HOST/DATABASE')
  }
  return { url, connections }
}

function isDatabaseUrl(url: Secret): boolean {
  const parsed = URL.parse(url.reveal())
  return /^postgres(?:ql)?:$/.test(parsed?.protocol ?? '') && (parsed?.pathname.length ?? 0) > 1
}
