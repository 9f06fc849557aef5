/**
 * Something that runs: started once, stopped once. `stop` may be called before `start` has finished and must
 * leave nothing behind: no timer, no socket, no child.
 */
export interface Part {
  readonly name: string
  start(): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts parts in order; when one fails, those already started are stopped in reverse and its error is thrown.
 *
 * @returns a function that stops them all in reverse order. It stops every part even if one fails to stop, and
 * then throws what the first one said. Calling it twice is the same as calling it once.
 */
export async function startInOrder(parts: readonly Part[]): Promise<() => Promise<void>> {
  const started: Part[] = []
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => (stopping ??= stopInReverse(started))
  for (const part of parts) {
    started.push(part)
    try {
      await part.start()
    } catch (error) {
      // The cause is what the person has to see; what a half-started part says while stopping is noise.
      await stop().catch(() => undefined)
      throw error
    }
  }
  return stop
}

async function stopInReverse(started: readonly Part[]): Promise<void> {
  const failures: unknown[] = []
  for (const part of started.toReversed()) {
    try {
      await part.stop()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}
