/** Result of one check as a provider reported it; `other` is a word we do not know, `absent` is no word at all. */
export const AUTH_RESULTS = [
  'pass',
  'fail',
  'softfail',
  'neutral',
  'none',
  'temperror',
  'permerror',
  'policy',
  'other',
  'absent',
] as const
export type AuthResult = (typeof AUTH_RESULTS)[number]

/** What the receiving provider found out about a message (RFC 8601). Absence is `absent`, never `fail`. */
export interface AuthResults {
  readonly spf: AuthResult
  readonly dkim: AuthResult
  readonly dmarc: AuthResult
}

export const NO_AUTH_RESULTS: AuthResults = { spf: 'absent', dkim: 'absent', dmarc: 'absent' }
