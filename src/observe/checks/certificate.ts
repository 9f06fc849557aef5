import { DAY } from '../../base/clock.ts'
import type { Finding } from '../../base/finding.ts'

// Who renews does so a month before; two weeks later something is wrong with that.
const SOON = 14 * DAY

/** How long the certificates that we show still last. @param expiry when the first ends */
export function certificateFinding(hostname: string, expiry: number, now: number): Finding {
  const days = Math.floor((expiry - now) / DAY)
  const found = (state: Finding['state'], detail: string, advice = ''): Finding => ({
    check: 'certificate',
    about: hostname,
    state,
    detail,
    advice,
  })
  const day = new Date(expiry).toISOString().slice(0, 10)
  if (expiry <= now)
    return found(
      'bad',
      `ended on ${day}: no program connects any more`,
      'Renew it, then: systemctl reload mailcanary',
    )
  if (expiry - now < SOON)
    return found('bad', `ends on ${day}, in ${days} days`, 'Find out why it was not renewed.')
  return found('good', `ends on ${day}, in ${days} days`)
}
