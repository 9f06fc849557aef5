import { no } from './refusal.ts'

export interface Credentials {
  readonly username: string
  /** A password, or what was sent as an OAuth 2 token. */
  readonly password: string
}

/** Reads the initial response of PLAIN (RFC 4616) or XOAUTH2, in base64. */
export function parseSasl(mechanism: string, response: string): Credentials {
  // RFC 4959 section 3: '=' is an empty response.
  const text = Buffer.from(response === '=' ? '' : response, 'base64').toString()
  switch (mechanism.toUpperCase()) {
    case 'PLAIN': {
      const [, username = '', password = ''] = text.split('\0')
      return { username, password }
    }
    // The demo's tokens are its passwords: no OAuth server is needed to try this path.
    case 'XOAUTH2':
      return {
        username: /user=([^\u0001]*)/.exec(text)?.[1] ?? '',
        password: /auth=Bearer ([^\u0001]*)/i.exec(text)?.[1] ?? '',
      }
    default:
      throw no('Unsupported mechanism')
  }
}
