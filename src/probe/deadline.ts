/** Thrown by `within` when the time is up. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
  /** @param within milliseconds */
  constructor(within: number) {
    super(`no answer within ${within / 1_000} s`)
  }
}

/**
 * Runs something that must end. `run` gets a signal that fires when the time is up or the caller's signal does;
 * either way the promise rejects at once, whether or not `run` listens.
 *
 * @param atMost milliseconds
 * @throws DeadlineError when the time is up, the reason of `signal` when that was aborted, else what `run` throws
 */
export async function within<T>(
  atMost: number,
  signal: AbortSignal,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  const inner = new AbortController()
  const stop = (): void => inner.abort(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  const timer = setTimeout(() => inner.abort(new DeadlineError(atMost)), atMost)
  let fail: () => void = () => undefined
  try {
    return await new Promise<T>((resolve, reject) => {
      fail = (): void => reject(inner.signal.reason as Error)
      inner.signal.addEventListener('abort', fail, { once: true })
      run(inner.signal).then(resolve, reject)
    })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
    inner.signal.removeEventListener('abort', fail)
  }
}

/** Resolves after `ms` milliseconds, or as soon as `signal` is aborted: it never rejects. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>(resolve => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
  })
}
