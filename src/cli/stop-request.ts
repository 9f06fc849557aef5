/**
 * Resolves at the first SIGINT or SIGTERM; the second ends the process at once, for somebody who cannot wait.
 *
 * Listening begins with the call: a signal that comes while something still starts is not lost.
 */
export function stopRequest(): Promise<void> {
  return new Promise(resolve => {
    let asked = false
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (asked) process.exit(130)
        asked = true
        resolve()
      })
    }
  })
}
