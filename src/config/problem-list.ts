import type { Document, LineCounter, Node } from 'yaml'
import { isCollection, isMap, isScalar } from 'yaml'

import { Problem } from '../base/problem.ts'

/** A key's place in a file: `['listen', 'submission', 0]`. */
export type KeyPath = readonly (string | number)[]

interface ListedProblem {
  readonly line: number
  readonly column: number
  readonly key: string
  readonly text: string
}

/** All that is wrong with one configuration file, each with its place: people want to mend everything at once. */
export class ProblemList {
  readonly #file: string
  readonly #document: Document | undefined
  readonly #lines: LineCounter | undefined
  readonly #problems: ListedProblem[] = []

  constructor(file: string, document?: Document, lines?: LineCounter) {
    this.#file = file
    this.#document = document
    this.#lines = lines
  }

  /**
   * @param text what is wrong, and what to do about it
   * @param at 'value' points at the value; 'key' at the key itself, for a key that should not be there
   */
  add(path: KeyPath, text: string, at: 'value' | 'key' = 'value'): void {
    this.#problems.push({ ...this.#position(path, at), key: path.join('.'), text })
  }

  addAt(line: number, column: number, text: string): void {
    this.#problems.push({ line, column, key: '', text })
  }

  get isEmpty(): boolean {
    return this.#problems.length === 0
  }

  /** One `file:line:column: key: text` a problem, in the order of the file. */
  lines(): string[] {
    return this.#problems
      .toSorted((a, b) => a.line - b.line || a.column - b.column)
      .map(({ line, column, key, text }) =>
        [`${this.#file}:${line}:${column}`, key, text].filter(part => part !== '').join(': '),
      )
  }

  /** @throws Problem with all lines, if there are any */
  throwIfAny(): void {
    if (!this.isEmpty) throw new Problem(this.lines().join('\n'))
  }

  #position(path: KeyPath, at: 'value' | 'key'): { line: number; column: number } {
    // A key that is missing has no place of its own: its parent's is the nearest.
    for (let length = path.length; length >= 0; length--) {
      const exact = length === path.length
      const node = this.#node(path.slice(0, length), exact && at === 'key')
      const offset = node?.range?.[0]
      if (offset === undefined || this.#lines === undefined) continue
      const { line, col } = this.#lines.linePos(offset)
      return { line, column: col }
    }
    return { line: 1, column: 1 }
  }

  #node(path: KeyPath, wantKey: boolean): Node | undefined {
    if (this.#document === undefined) return undefined
    if (!wantKey) {
      const node: unknown =
        path.length === 0 ? this.#document.contents : this.#document.getIn(path, true)
      return isScalar(node) || isCollection(node) ? node : undefined
    }
    const parent: unknown =
      path.length === 1 ? this.#document.contents : this.#document.getIn(path.slice(0, -1), true)
    if (!isMap(parent)) return undefined
    const pair = parent.items.find(item => isScalar(item.key) && item.key.value === path.at(-1))
    return isScalar(pair?.key) ? pair.key : undefined
  }
}
