type Child = Node | string | undefined

/**
 * Makes an element. Text goes in as text: nothing from a mail server is ever read as HTML.
 *
 * @param attributes `class`, `role`, `data-label` and the like; undefined ones are left out
 */
export function el<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string | undefined>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) made.setAttribute(name, value)
  }
  made.append(...children.filter(child => child !== undefined))
  return made
}

/** A cell of a table; its column's name is shown beside it where the table is a stack of cards. */
export function cell(
  label: string,
  attributes: Readonly<Record<string, string | undefined>>,
  ...children: readonly Child[]
): HTMLTableCellElement {
  return el('td', { role: 'cell', 'data-label': label, ...attributes }, ...children)
}

export function rowOf(...cells: readonly HTMLTableCellElement[]): HTMLTableRowElement {
  return el('tr', { role: 'row' }, ...cells)
}

/** The element of the page with an id. The page and this code are one program: absence is a fault. */
export function byId(id: string): HTMLElement {
  const found = document.querySelector<HTMLElement>(`#${id}`)
  if (!found) throw new Error(`the page has no #${id}`)
  return found
}

export function bodyOf(tableId: string): HTMLElement {
  const found = byId(tableId).querySelector('tbody')
  if (!found) throw new Error(`#${tableId} has no body`)
  return found
}

const shown = new WeakMap<Element, string>()

/**
 * Fills an element anew, unless it already shows this data: what did not change does not flicker, keeps its
 * selection and is not read out again.
 */
export function fill(into: Element, data: unknown, build: () => readonly Node[]): void {
  const key = JSON.stringify(data)
  if (shown.get(into) === key) return
  shown.set(into, key)
  into.replaceChildren(...build())
}

/** Sets text only where it differs, so that a screen reader is not told the same twice. */
export function say(into: Element, text: string): void {
  if (into.textContent !== text) into.textContent = text
}
