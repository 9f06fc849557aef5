import { type Clock, SECOND } from '../../base/clock.ts'
import { pause } from '../deadline.ts'
import {
  errorOf,
  grantOf,
  type OAuthAnswer,
  type OAuthClient,
  postForm,
  type TokenGrant,
  withClient,
} from './oauth-client.ts'
import { OAuthError } from './oauth-error.ts'

/** What a person has to do: open a page, type a code, agree (RFC 8628 section 3.3). */
export interface DeviceInvitation {
  readonly url: string
  readonly code: string
  /** When the code ends, milliseconds since the epoch. */
  readonly until: number
}

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:device_code'
// RFC 8628 section 3.2: where the server names no interval.
const INTERVAL = 5 * SECOND
// Section 3.5: `slow_down` adds 5 seconds to this and all later intervals.
const SLOWER = 5 * SECOND
const LONGEST = 3_600 * SECOND

/**
 * Signs in by a code that a person types into a browser anywhere (RFC 8628): nothing has to reach this machine.
 *
 * @param invite shows the person what to do
 * @param wait for tests: waits between two questions
 * @throws OAuthError `refused` if the person declined or the code ended, else what the server said
 */
export async function signInByDevice(
  client: OAuthClient,
  options: {
    readonly invite: (invitation: DeviceInvitation) => void
    readonly clock: Clock
    readonly signal: AbortSignal
    readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>
  },
): Promise<TokenGrant> {
  const { clock, signal, wait = pause } = options
  const { deviceUrl, tokenUrl, scope } = client.endpoints
  if (deviceUrl === undefined) throw new OAuthError('misconfigured', 'there is no device flow here')
  // Section 3.1: a device is a public client, and its request bears no secret.
  const answer = await postForm(deviceUrl, { client_id: client.id, scope }, signal)
  const { device_code: deviceCode, user_code: userCode, verification_uri: uri } = answer.body
  if (!answer.ok || typeof deviceCode !== 'string') throw errorOf(answer.body)
  const lasts = Math.min(LONGEST, secondsOf(answer.body['expires_in'], 900 * SECOND))
  const until = clock() + lasts
  options.invite({ url: String(uri), code: String(userCode), until })
  let interval = secondsOf(answer.body['interval'], INTERVAL)
  const form = withClient(client, { grant_type: GRANT_TYPE, device_code: deviceCode })
  while (clock() < until) {
    await wait(interval, signal)
    signal.throwIfAborted()
    const said = await ask(tokenUrl, form, signal)
    if (said === undefined) {
      // Section 3.5: after a timeout the interval grows.
      interval += SLOWER
      continue
    }
    switch (said.body['error']) {
      case 'authorization_pending':
        continue
      case 'slow_down':
        interval += SLOWER
        continue
      default:
        return grantOf(said)
    }
  }
  throw new OAuthError('refused', 'the code has ended before anybody agreed')
}

/** @returns undefined where no answer could be had: the person may be typing all the same */
async function ask(
  url: string,
  form: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<OAuthAnswer | undefined> {
  try {
    return await postForm(url, form, signal)
  } catch (error) {
    if (error instanceof OAuthError && error.kind === 'unavailable') return undefined
    throw error
  }
}

function secondsOf(value: unknown, usual: number): number {
  const seconds = Number(value)
  return Number.isFinite(seconds) && seconds > 0 ? seconds * SECOND : usual
}
