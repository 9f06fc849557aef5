import { SECOND } from '../base/clock.ts'
import { messageOf } from '../base/problem.ts'

/** One thing that has to be well. Throwing is the same as not being well, with the error's words. */
export interface HealthCheck {
  /** `store`, `directory`, `listeners`. */
  readonly name: string
  check(): Promise<CheckResult> | CheckResult
}

export interface CheckResult {
  readonly ok: boolean
  /** A few words for a person; no secret. */
  readonly detail: string
}

export interface HealthReport {
  readonly ok: boolean
  readonly checks: readonly ({ readonly name: string } & CheckResult)[]
}

/**
 * Two questions, kept apart: alive (else restart it) and ready (else send it nothing). Whether mail arrives is a third,
 * and no restart mends that: it is for alerts.
 */
export interface Health {
  alive(): Promise<HealthReport>
  ready(): Promise<HealthReport>
}

// Whoever asks waits a few seconds at most; a check that hangs is not well.
const PATIENCE = 2 * SECOND

export function createHealth(checks: {
  readonly alive: readonly HealthCheck[]
  readonly ready: readonly HealthCheck[]
}): Health {
  return {
    alive: () => ask(checks.alive),
    // What is not alive is not ready either.
    ready: () => ask([...checks.alive, ...checks.ready]),
  }
}

async function ask(checks: readonly HealthCheck[]): Promise<HealthReport> {
  const results = await Promise.all(
    checks.map(async check => ({ name: check.name, ...(await resultOf(check)) })),
  )
  return { ok: results.every(result => result.ok), checks: results }
}

async function resultOf(check: HealthCheck): Promise<CheckResult> {
  let timer: NodeJS.Timeout | undefined
  try {
    const tooLate = new Promise<CheckResult>(resolve => {
      timer = setTimeout(() => resolve({ ok: false, detail: 'no answer in time' }), PATIENCE)
    })
    return await Promise.race([Promise.resolve(check.check()), tooLate])
  } catch (error) {
    return { ok: false, detail: messageOf(error) }
  } finally {
    clearTimeout(timer)
  }
}
