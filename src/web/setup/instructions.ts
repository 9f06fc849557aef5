import { existsSync, readFileSync } from 'node:fs'

import { Problem } from '../../base/problem.ts'
import { sectionsOf, type Section } from './markdown.ts'

/** A language in which people are told how to set up their programs: one file of it, with the page's own words at its head. */
export interface Instructions {
  /** Of the page, by name; `{host}` and `{domain}` are for the page to put in. */
  readonly words: ReadonlyMap<string, string>
  readonly settings: Section
  readonly answers: Section
  readonly password: Section
  readonly programs: readonly Section[]
}

/** What takes the place of the examples: `relay.example.org`, `alice`, `example.org`, 465 and 587. */
export interface Examples {
  readonly hostname: string
  readonly login: string
  readonly domain: string
  readonly submissions: number
  readonly submission: number
}

// The build copies the document beside the pages; in the source it is where people read it.
const PLACES = ['../page/clients.md', '../../../docs/clients.md']

/** The instructions in English: `docs/clients.md`, every block of which is run by a test. */
export function readInstructions(): string {
  const place = PLACES.map(path => new URL(path, import.meta.url)).find(url => existsSync(url))
  if (place === undefined)
    throw new Problem('the instructions for mail programs are not installed: docs/clients.md')
  return readFileSync(place, 'utf8')
}

/** @throws RangeError where the document lacks a section that the page cannot do without */
export function instructionsOf(document: string): Instructions {
  const [, head = '', text = ''] = /^<!--([^]*?)-->([^]*)$/.exec(document) ?? []
  // What is not for everybody comes last in its section, under a heading of its own.
  const sections = sectionsOf(text.replaceAll(/^### [^]*?(?=^## |$(?![^]))/gm, ''))
  const [settings, answers, password, ...programs] = sections
  if (settings === undefined || answers === undefined || password === undefined) {
    throw new RangeError('clients.md: needs settings, answers and password before the programs')
  }
  const words = [...head.matchAll(/^([a-z-]+): (.+)$/gm)].map(
    ([, name = '', sentence = '']) => [name, sentence] as const,
  )
  return { words: new Map(words), settings, answers, password, programs }
}

/** A section with an organisation's own names in the place of the examples. */
export function withOwn({ heading, blocks }: Section, examples: Examples): Section {
  const own = (text: string): string => putIn(text, examples)
  return {
    heading,
    blocks: blocks.map(block => {
      switch (block.kind) {
        case 'list':
          return { ...block, items: block.items.map(own) }
        case 'table':
          return { ...block, rows: block.rows.map(row => row.map(own)) }
        case 'paragraph':
        case 'code':
          return { ...block, text: own(block.text) }
      }
    }),
  }
}

/** In one pass, so that nothing that was put in is taken for an example. */
function putIn(
  text: string,
  { hostname, login, domain, submissions, submission }: Examples,
): string {
  const own: Readonly<Record<string, string>> = {
    'relay.example.org': hostname,
    alice: login,
    'example.org': domain,
    // In a regular expression.
    'example\\.org': domain.replaceAll('.', String.raw`\.`),
    '465': String(submissions),
    '587': String(submission),
  }
  return text.replaceAll(
    /relay\.example\.org|\balice\b|example\\?\.org|\b(?:465|587)\b/g,
    example => own[example] ?? example,
  )
}
