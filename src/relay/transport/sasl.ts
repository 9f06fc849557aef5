import type { Secret } from '../../base/secret.ts'

export interface Credentials {
  readonly user: string
  readonly password: Secret
}

/** One exchange of AUTH: what to say first, and after each 334. */
export interface SaslExchange {
  readonly command: string
  readonly answers: readonly string[]
}

/**
 * PLAIN (RFC 4616) where it is offered, else LOGIN, which never became a standard and is all that some servers know.
 * Both show the password to the server: only for TLS or loopback.
 *
 * @returns undefined if neither is offered
 */
export function saslExchange(
  offered: readonly string[],
  credentials: Credentials,
): SaslExchange | undefined {
  const { user, password } = credentials
  if (offered.includes('PLAIN')) {
    const response = base64(`\0${user}\0${password.reveal()}`)
    const command = `AUTH PLAIN ${response}`
    // RFC 4954 section 4: an initial response that makes the line too long is sent after an empty 334.
    if (command.length + 2 <= 512) return { command, answers: [] }
    return { command: 'AUTH PLAIN', answers: [response] }
  }
  if (offered.includes('LOGIN')) {
    return { command: 'AUTH LOGIN', answers: [base64(user), base64(password.reveal())] }
  }
  return undefined
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64')
}
