import { readFileSync, statSync } from 'node:fs'

import { codeOf } from '../base/problem.ts'
import { Secret } from '../base/secret.ts'
import type { KeyPath, ProblemList } from './problem-list.ts'

const LONGEST_SECRET = 4_096

/**
 * Reads the secret that a section names as `WHAT_file` or `WHAT_env`. One final line end is no part of it.
 *
 * @returns undefined if the section names none, or if reading it failed and the problem was listed
 */
export function readSecret(
  problems: ProblemList,
  path: KeyPath,
  section: Readonly<Record<string, unknown>>,
  what: string,
): Secret | undefined {
  const file = section[`${what}_file`]
  const variable = section[`${what}_env`]
  if (typeof file === 'string' && typeof variable === 'string') {
    problems.add([...path, `${what}_env`], `${what}_file is there too: keep one of the two`, 'key')
    return undefined
  }
  if (typeof file === 'string') return fromFile(problems, [...path, `${what}_file`], file)
  if (typeof variable === 'string')
    return fromEnvironment(problems, [...path, `${what}_env`], variable)
  return undefined
}

function fromEnvironment(
  problems: ProblemList,
  path: KeyPath,
  variable: string,
): Secret | undefined {
  const value = process.env[variable]
  if (value === undefined || value === '') {
    problems.add(path, `the environment has no ${variable}: set it, or name a file instead`)
    return undefined
  }
  return new Secret(value)
}

function fromFile(problems: ProblemList, path: KeyPath, file: string): Secret | undefined {
  try {
    const { mode } = statSync(file)
    if ((mode & 0o007) !== 0) {
      problems.add(path, `${file} may be read by everybody: chmod o= ${file}`)
      return undefined
    }
    const value = readFileSync(file, 'utf8').replace(/\r?\n$/, '')
    if (value === '' || value.length > LONGEST_SECRET || value.includes('\n')) {
      problems.add(path, `${file} should hold one line with the secret`)
      return undefined
    }
    return new Secret(value)
  } catch (error) {
    problems.add(path, unreadable(file, error))
    return undefined
  }
}

/** The text of a file that a key names. Reading fails as a listed problem. */
export function readNamedFile(
  problems: Pick<ProblemList, 'add'>,
  path: KeyPath,
  file: string,
): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    problems.add(path, unreadable(file, error))
    return undefined
  }
}

/** Why a file cannot be read, for people. */
export function unreadable(file: string, error: unknown): string {
  const code = codeOf(error)
  if (code === 'ENOENT') return `there is no file ${file}`
  if (code === 'EACCES') return `${file} may not be read by this user (uid ${process.getuid?.()})`
  return `${file} cannot be read (${code})`
}
