/**
 * A fault that a person can mend: its message is one clear sentence (what is wrong, what to do) and is printed
 * without a stack. Anything else that reaches the process edge is a fault of the program and keeps its stack.
 */
export class Problem extends Error {
  override readonly name = 'Problem'
}

/** What an unknown thrown thing has to say, in one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.replaceAll(/\s+/g, ' ').trim()
}

/** The `code` of a system or library error (`ECONNREFUSED`, `ETIMEDOUT`), or '' where there is none. */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}
