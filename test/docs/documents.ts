import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { parse } from 'yaml'

export const ROOT = join(import.meta.dirname, '..', '..')

/** A piece of a document, and where it stands: `docs/operating.md:44`. */
export interface Piece {
  readonly text: string
  readonly at: string
}

/** What stands between two fences. */
export interface Block extends Piece {
  /** The word behind the opening fence; '' without one. */
  readonly language: string
}

export interface Document {
  /** From the root of the project. */
  readonly path: string
  readonly text: string
  readonly blocks: readonly Block[]
  /** `code` in a line. */
  readonly spans: readonly Piece[]
  /** What is set off as code by its indent alone, so that nobody can say what it is. */
  readonly unfenced: readonly Piece[]
  /** Targets of links and images, as they are written. */
  readonly links: readonly Piece[]
  /** What `#...` can name. */
  readonly anchors: ReadonlySet<string>
}

/** Every document that belongs to the project. */
export function documents(): readonly Document[] {
  const listed = execFileSync(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'],
    { cwd: ROOT, encoding: 'utf8' },
  )
  return listed
    .split('\n')
    .filter(path => path !== '')
    .map(path => readDocument(path, readFileSync(join(ROOT, path), 'utf8')))
}

/** Every query of Prometheus that a document gives; an empty line is between two of a block. */
export function promQueries(): readonly Piece[] {
  return documents()
    .flatMap(({ blocks }) => blocks)
    .filter(({ language }) => language === 'promql')
    .flatMap(({ at, text }) => text.split(/\n\s*\n/).map(query => ({ at, text: query })))
}

/** What stands at the top of Prometheus' own configuration. */
const PROMETHEUS = /^(?:global|scrape_configs|rule_files|alerting|remote_write)$/

/** Whether a block is configuration of Prometheus, and not of ours. */
export function isForPrometheus({ language, text }: Block): boolean {
  return (
    language === 'yaml' && Object.keys(parse(text) as object).every(key => PROMETHEUS.test(key))
  )
}

/** Reads the part of Markdown that ours is written in. */
export function readDocument(path: string, text: string): Document {
  const blocks: Block[] = []
  const spans: Piece[] = []
  const links: Piece[] = []
  const unfenced: Piece[] = []
  const anchors = new Set<string>()
  let open: { indent: number; language: string; line: number; inside: string[] } | undefined
  const lines = text.split('\n')
  for (const [index, line] of lines.entries()) {
    const at = `${path}:${index + 1}`
    const fence = /^( *)```(.*)$/.exec(line)
    if (fence !== null && open === undefined) {
      const [, indent = '', language = ''] = fence
      open = { indent: indent.length, language, line: index + 1, inside: [] }
    } else if (fence !== null && open !== undefined) {
      const { language, inside } = open
      blocks.push({ language, text: inside.join('\n'), at: `${path}:${open.line}` })
      open = undefined
    } else if (open !== undefined) {
      open.inside.push(line.slice(open.indent))
    } else {
      if (/^ {4,}[^\s*-]/.test(line) && lines[index - 1] === '') unfenced.push({ text: line, at })
      const heading = /^#{1,6} (.*)$/.exec(line)?.[1]
      if (heading !== undefined) anchors.add(anchorOf(heading, anchors))
      for (const [, span = ''] of line.matchAll(/`([^`]+)`/g)) spans.push({ text: span, at })
      const prose = line.replaceAll(/`[^`]+`/g, '')
      for (const [, target = ''] of prose.matchAll(/\]\(([^)\s]+)\)/g))
        links.push({ text: target, at })
    }
  }
  return { path, text, blocks, spans, unfenced, links, anchors }
}

/** The name that GitHub gives to a heading. */
function anchorOf(heading: string, taken: ReadonlySet<string>): string {
  const plain = heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-')
  if (!taken.has(plain)) return plain
  let count = 1
  while (taken.has(`${plain}-${count}`)) count += 1
  return `${plain}-${count}`
}
