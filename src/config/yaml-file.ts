import { readFile } from 'node:fs/promises'

import { LineCounter, parseDocument } from 'yaml'
import type { z } from 'zod'

import { codeOf, Problem } from '../base/problem.ts'
import { listUnreadable } from './named-files.ts'
import { ProblemList, type KeyPath } from './problem-list.ts'

const LARGEST_FILE = 4 * 1024 * 1024

/** A configuration file that has the right shape, and the list to add further problems to. */
export interface LoadedFile<T> {
  readonly path: string
  readonly value: T
  readonly problems: ProblemList
}

/**
 * Reads a YAML file and holds it against a schema.
 *
 * @throws Problem that lists everything wrong with the file, a line each: `file:line:column: key: text`
 */
export async function loadYaml<T>(path: string, schema: z.ZodType<T>): Promise<LoadedFile<T>> {
  const lines = new LineCounter()
  const document = parseDocument(await read(path), { lineCounter: lines, prettyErrors: false })
  const problems = new ProblemList(path, document, lines)
  for (const error of [...document.errors, ...document.warnings]) {
    const { line, col } = lines.linePos(error.pos[0])
    problems.addAt(line, col, `not YAML: ${error.message}`)
  }
  problems.throwIfAny()
  // maxAliasCount: a few nested aliases can otherwise grow to gigabytes.
  const written: unknown = document.toJS({ maxAliasCount: 50 }) ?? {}
  const parsed = schema.safeParse(written)
  if (parsed.success) return { path, value: parsed.data, problems }
  for (const issue of parsed.error.issues) explain(issue, problems, schema)
  listUnreadable(problems, written)
  problems.throwIfAny()
  throw new Problem(`${path}: not valid`)
}

async function read(path: string): Promise<string> {
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (error) {
    const reason =
      codeOf(error) === 'ENOENT'
        ? 'there is no such file'
        : codeOf(error) === 'EACCES'
          ? 'may not be read by this user'
          : `cannot be read (${codeOf(error)})`
    throw new Problem(`${path}: ${reason}`)
  }
  if (bytes.length > LARGEST_FILE)
    throw new Problem(`${path}: larger than 4 MiB, which no configuration is`)
  return bytes.toString('utf8')
}

function explain(issue: z.core.$ZodIssue, problems: ProblemList, schema: z.ZodType): void {
  const path = issue.path.filter(part => typeof part !== 'symbol')
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) {
      problems.add([...path, key], unknownKey(key, knownKeys(schema, path)), 'key')
    }
    return
  }
  if (issue.code === 'invalid_key') {
    for (const { message } of issue.issues) problems.add(path, message, 'key')
    return
  }
  if (issue.code === 'invalid_union') {
    // The branch that got furthest says most about what was meant.
    const branch = issue.errors.toSorted(
      (a, b) => depthOf(b) - depthOf(a) || a.length - b.length,
    )[0]
    if (branch !== undefined && branch.length > 0) {
      for (const inner of branch) {
        explain({ ...inner, path: [...path, ...inner.path] }, problems, schema)
      }
      return
    }
  }
  problems.add(path, issue.message)
}

function depthOf(issues: readonly z.core.$ZodIssue[]): number {
  return Math.max(...issues.map(({ path }) => path.length))
}

function unknownKey(key: string, known: readonly string[]): string {
  // A secret in the file itself would be in every backup and every paste of it.
  if (/^(?:.*_)?(?:password|secret|token)$/.test(key)) {
    return `a secret is never written here: put it in a file and name that in ${key}_file, or in the environment and name the variable in ${key}_env`
  }
  const near = known
    .map(name => ({ name, distance: editDistance(key, name) }))
    .filter(({ name, distance }) => distance <= Math.max(1, Math.floor(name.length / 3)))
    .toSorted((a, b) => a.distance - b.distance)[0]
  if (near !== undefined) return `unknown key, did you mean ${near.name}?`
  return known.length === 0 ? 'unknown key' : `unknown key, known here: ${known.join(', ')}`
}

/** The keys that the schema knows at a path, as far as it can be told without a value. */
function knownKeys(schema: z.ZodType, path: KeyPath): readonly string[] {
  let here: unknown = unwrap(schema)
  for (const part of path) {
    const { shape, valueType, element } = here as {
      shape?: Record<string, unknown>
      valueType?: unknown
      element?: unknown
    }
    here = unwrap(typeof part === 'number' ? element : (shape?.[part] ?? valueType))
    if (here === undefined) return []
  }
  const shape = (here as { shape?: Record<string, unknown> }).shape
  return shape === undefined ? [] : Object.keys(shape)
}

function unwrap(schema: unknown): unknown {
  let here = schema as { def?: { innerType?: unknown; in?: unknown } } | undefined
  while (here?.def !== undefined) {
    const inner = here.def.innerType ?? here.def.in
    if (inner === undefined) return here
    here = inner as typeof here
  }
  return here
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(swap, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1))
    }
    previous = row
  }
  return previous.at(-1) ?? 0
}
