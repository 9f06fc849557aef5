import { html, NOTHING, type Html } from '../html.ts'

/*
 * As much of Markdown as the instructions use: paragraphs, lists, tables, blocks of code; within a line code, emphasis and
 * strong emphasis. What is not known stays text.
 */

export type Block =
  | { readonly kind: 'paragraph'; readonly text: string }
  | { readonly kind: 'list'; readonly ordered: boolean; readonly items: readonly string[] }
  | { readonly kind: 'table'; readonly rows: readonly (readonly string[])[] }
  | { readonly kind: 'code'; readonly text: string }

export interface Section {
  readonly heading: string
  readonly blocks: readonly Block[]
}

/** The sections of a document that begin with `##`; what comes before the first is not part of any. */
export function sectionsOf(document: string): readonly Section[] {
  return document
    .split(/^## /m)
    .slice(1)
    .map(text => {
      const end = text.indexOf('\n')
      return { heading: text.slice(0, end).trim(), blocks: blocksOf(text.slice(end)) }
    })
}

function blocksOf(text: string): readonly Block[] {
  const blocks: Block[] = []
  // A block of code may have empty lines in it.
  for (const part of text.split(/^(```[^]*?^```)$/m)) {
    const code = /^```\w*\n([^]*)^```$/m.exec(part)?.[1]
    if (part.startsWith('```') && code !== undefined) blocks.push({ kind: 'code', text: code })
    else blocks.push(...part.split(/\n{2,}/).flatMap(prose))
  }
  return blocks
}

function prose(text: string): Block[] {
  const lines = text.trim().split('\n')
  const [first = ''] = lines
  if (first === '') return []
  if (first.startsWith('|')) {
    const rows = lines.filter(line => !/^\|[-|: ]+\|$/.test(line)).map(cells)
    return [{ kind: 'table', rows: rows.filter(row => row.some(cell => cell !== '')) }]
  }
  const mark = /^(?:-|\d+\.) /
  if (!mark.test(first)) return [{ kind: 'paragraph', text: lines.join(' ') }]
  const items: string[] = []
  for (const line of lines) {
    if (mark.test(line)) items.push(line.replace(mark, ''))
    else items.push(`${items.pop() ?? ''} ${line.trim()}`)
  }
  return [{ kind: 'list', ordered: !first.startsWith('-'), items }]
}

function cells(line: string): string[] {
  return line
    .slice(1, -1)
    .split('|')
    .map(cell => cell.trim())
}

/** Markup of the words of a line. */
export function inline(text: string): Html {
  const pieces = text.split(/(`[^`]+`|\*\*[^*]+\*\*|\*[^*]+\*)/)
  return html`${pieces.map(piece => {
    if (/^`.+`$/.test(piece)) return html`<code>${piece.slice(1, -1)}</code>`
    if (/^\*\*.+\*\*$/.test(piece)) return html`<strong>${piece.slice(2, -2)}</strong>`
    if (/^\*.+\*$/.test(piece)) return html`<em>${piece.slice(1, -1)}</em>`
    return html`${piece}`
  })}`
}

/** Markup of blocks, one after the other. */
export function rendered(blocks: readonly Block[]): Html {
  return html`${blocks.map(block)}`
}

function block(made: Block): Html {
  switch (made.kind) {
    case 'paragraph':
      return html`<p>${inline(made.text)}</p>`
    case 'list': {
      const items = made.items.map(item => html`<li>${inline(item)}</li>`)
      return made.ordered
        ? html`<ol class="steps">
            ${items}
          </ol>`
        : html`<ul>
            ${items}
          </ul>`
    }
    case 'table':
      return table(made.rows)
    case 'code':
      return html`${filesOf(made.text).map(file)}`
  }
}

/** Two columns are a name and its value; more have a row of names above. */
function table(rows: readonly (readonly string[])[]): Html {
  const [names = []] = rows
  if (names.length === 2) {
    return html`<table class="settings">
      <tbody>
        ${rows.map(
          ([name = '', value = '']) =>
            html`<tr>
              <th scope="row">${inline(name)}</th>
              <td>${inline(value)}</td>
            </tr>`,
        )}
      </tbody>
    </table>`
  }
  return html`<table class="list" role="table">
    <thead role="rowgroup">
      <tr role="row">
        ${names.map(name => html`<th scope="col" role="columnheader">${name}</th>`)}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows.slice(1).map(
        ([first = '', ...others]) =>
          html`<tr role="row">
            <th scope="row" role="rowheader">${inline(first)}</th>
            ${others.map((cell, i) => html`<td role="cell" data-label="${names[i + 1] ?? ''}"><span>${inline(cell)}</span></td>`)}
          </tr>`,
      )}
    </tbody>
  </table>`
}

/** A block that begins with the path of a file, as a comment, is what has to stand in it; one block may have several. */
function filesOf(text: string): readonly { readonly path: string; readonly text: string }[] {
  return text.split(/^(?=# [~/]\S+$)/m).map(part => {
    const path = /^# ([~/]\S+)\n/.exec(part)?.[1] ?? ''
    return { path, text: path === '' ? part : part.slice(part.indexOf('\n') + 1) }
  })
}

function file({ path, text }: { readonly path: string; readonly text: string }): Html {
  const caption = path === '' ? NOTHING : html`<figcaption><code>${path}</code></figcaption>`
  return html`<figure class="file">
    ${caption}
    <pre tabindex="0">${text}</pre>
  </figure>`
}
