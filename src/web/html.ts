import { escaped } from '../base/html.ts'

/** Markup, as opposed to text that somebody else wrote. Only `html` makes it. */
export class Html {
  readonly #markup: string

  constructor(markup: string) {
    this.#markup = markup
  }

  toString(): string {
    return this.#markup
  }
}

type Piece = Html | string | number | readonly (Html | string)[]

/** Markup with what is put in escaped, unless it is markup itself. Values of attributes stand in quotes. */
export function html(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  const parts = strings.map((text, i) => text + (i < pieces.length ? markupOf(pieces[i]) : ''))
  return new Html(parts.join(''))
}

/** The same for XML, whose five characters are the same. */
export function xml(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  return html(strings, ...pieces)
}

export const NOTHING = new Html('')

/** A whole page of the public server, in its look. */
export function documentOf(page: {
  readonly title: string
  readonly brand: string
  readonly main: Html
  /** Beside the brand: what one can do from every place of the page. */
  readonly top?: Html
  readonly footer?: Html
  /** Further files of `/assets/`. */
  readonly styles?: readonly string[]
  /** Modules of `/assets/`; the page's own policy has to let them run. */
  readonly scripts?: readonly string[]
}): string {
  const { title, brand, main, top = NOTHING, footer = NOTHING, styles = [], scripts = [] } = page
  const links = ['style.css', ...styles].map(
    name => html`<link rel="stylesheet" href="/assets/${name}" /> `,
  )
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="icon" href="/assets/mark.svg" type="image/svg+xml" />
        ${links}
        ${scripts.map(name => html`<script type="module" src="/assets/${name}"></script> `)}
      </head>
      <body>
        <header class="top">
          <p class="brand"><img src="/assets/mark.svg" alt="" width="28" height="28" /> ${brand}</p>
          ${top}
        </header>
        <main>${main}</main>
        ${footer}
      </body>
    </html> `.toString()
}

function markupOf(piece: Piece | undefined): string {
  if (piece === undefined) return ''
  if (piece instanceof Html) return piece.toString()
  if (typeof piece === 'object') return piece.map(markupOf).join('')
  return escaped(String(piece))
}
