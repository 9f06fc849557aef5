import { childOf, itemOf, pathOf, type JsonSchema, type SchemaPath } from './json-schema.ts'

/** What a reference file says of one key. */
export interface ReferenceEntry {
  /** Lines of the comment above it. */
  readonly comment: readonly string[]
  /** The comment behind its value; '' where there is none. */
  readonly note: string
}

/** The keys of a reference file in their order, those that are commented out among them. */
export type Reference = ReadonlyMap<SchemaPath, ReferenceEntry>

interface Frame {
  readonly indent: number
  readonly schema: JsonSchema
  readonly path: SchemaPath
}

const KEY = /^(\s*)((?:- +)?)([^\s:"#{[-][^\s:"#{[]*):(?:\s+(.*))?$/

/**
 * Reads the comments of `relay.yaml` or `probes.yaml`, so that what they say is written once and shown everywhere. The
 * schema tells a key that is commented out from a sentence with a colon.
 */
export function parseReference(text: string, schema: JsonSchema): Reference {
  const found = new Map<SchemaPath, ReferenceEntry>()
  let frames: readonly Frame[] = [{ indent: -1, schema, path: '' }]
  let comment: string[] = []
  for (const line of text.split('\n')) {
    if (line.trim() === '') comment = []
    let rest = line
    for (;;) {
      const key = keyIn(rest, frames)
      if (key !== undefined) {
        frames = key.frames
        const before = found.get(key.path)
        if (before === undefined || (before.note === '' && before.comment.length === 0)) {
          found.set(key.path, { comment: withoutMark(comment), note: key.note })
        }
        comment = []
        break
      }
      if (!/^\s*#/.test(rest)) break
      const inner = rest.replace(/^(\s*)# ?/, '$1')
      if (!/^\s*#/.test(inner) && keyIn(inner, frames) === undefined) {
        // An item of a list is an example.
        comment = /^\s*- /.test(inner) ? [] : [...comment, inner.trim()]
        break
      }
      rest = inner
    }
  }
  return found
}

function keyIn(
  line: string,
  frames: readonly Frame[],
):
  | { readonly frames: readonly Frame[]; readonly path: SchemaPath; readonly note: string }
  | undefined {
  const [, space = '', dash = '', key = '', rest = ''] = KEY.exec(line) ?? []
  if (key === '') return undefined
  const outer = frames.filter(({ indent }) => indent < space.length)
  const parent = outer.at(-1)
  if (parent === undefined) return undefined
  const inside = dash === '' ? parent : itemFrame(parent, space.length)
  const child = inside && childOf(inside.schema, key)
  if (inside === undefined || child === undefined) return undefined
  const path = pathOf(inside.path, child.segment)
  const indent = space.length + dash.length
  return {
    frames: [...outer, ...(dash === '' ? [] : [inside]), { indent, schema: child.schema, path }],
    path,
    note: /(?:^|\s)# (.*)$/.exec(rest)?.[1] ?? '',
  }
}

function itemFrame({ schema, path }: Frame, indent: number): Frame | undefined {
  const item = itemOf(schema)
  return item && { indent, schema: item, path: pathOf(path, '[]') }
}

/** CHANGE is for whoever copies the file. */
function withoutMark([first = '', ...others]: readonly string[]): readonly string[] {
  if (first === '') return []
  return [first.replace(/^CHANGE: (.)/, (_, letter: string) => letter.toUpperCase()), ...others]
}
