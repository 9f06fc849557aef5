/*
 * Buttons that copy what they stand beside: hosts, ports, user names, files. Without this code, or without the right to
 * use the clipboard (which browsers give to https only), there are none, and nothing else is missing.
 */

const words = document.querySelector<HTMLElement>('#copy-words')?.dataset ?? {}
const SHOWN_FOR = 2_000

function buttonFor(text: string): HTMLButtonElement {
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'copy'
  button.textContent = words['copy'] ?? ''
  const what = text.includes('\n') ? '' : ` ${text}`
  button.setAttribute('aria-label', `${words['copy'] ?? ''}${what}`)
  button.addEventListener('click', () => void copy(button, text))
  return button
}

async function copy(button: HTMLButtonElement, text: string): Promise<void> {
  await navigator.clipboard.writeText(text)
  button.textContent = words['copied'] ?? ''
  button.classList.add('done')
  setTimeout(() => {
    button.textContent = words['copy'] ?? ''
    button.classList.remove('done')
  }, SHOWN_FOR)
}

// Only in a secure context; loopback is one.
if ('clipboard' in navigator) {
  const values = '.settings td > code:first-of-type, .steps code'
  for (const code of document.querySelectorAll(values)) code.after(buttonFor(code.textContent))
  for (const file of document.querySelectorAll('.file')) {
    file.append(buttonFor(file.querySelector('pre')?.textContent ?? ''))
  }
}
