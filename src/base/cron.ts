import { createTask, validate } from 'node-cron'

/** Whether it is a cron expression with five or six fields. */
export function isCronExpression(expression: string): boolean {
  return validate(expression)
}

/**
 * The next time of a cron expression, in UTC: where the clocks are put back, node-cron leaves an hour out in any zone
 * that does so.
 *
 * @returns milliseconds since the epoch
 */
export function nextCronTime(expression: string): number {
  const task = createTask(expression, () => undefined, { timezone: 'UTC' })
  // `getNextRun` is null for a task that was not started; this one never is, it only reads the expression.
  const next = task.getNextRuns(1)[0]?.getTime() ?? Number.POSITIVE_INFINITY
  void task.destroy()
  return next
}
