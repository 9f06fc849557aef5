import type { Clock } from '../../src/base/clock.ts'
import { DEFAULT_LIMITS } from '../../src/relay/submission/limits.ts'
import { LoginThrottle } from '../../src/relay/submission/login-throttle.ts'

/** A throttle with the limits that hold unless a configuration says otherwise. */
export function throttleOf(clock: Clock): LoginThrottle {
  const { wrongPasswords, wrongLogins, loginWindow, loginDelay } = DEFAULT_LIMITS
  return new LoginThrottle({
    key: Buffer.from('test data'),
    wrongPasswords,
    wrongLogins,
    window: loginWindow,
    delay: loginDelay,
    clock,
  })
}
