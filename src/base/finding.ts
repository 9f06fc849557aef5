/** What a check has found about one thing. */
export interface Finding {
  /** What was looked at, a closed set of words: `reverse-name`. */
  readonly check: string
  /** Of what: an address, a domain, a list. */
  readonly about: string
  /** `doubtful` works for some; `unknown` is that it could not be looked at, which says nothing about it. */
  readonly state: 'good' | 'doubtful' | 'bad' | 'unknown'
  /** What was seen, in a sentence without a full stop. */
  readonly detail: string
  /** What to do about it, in the imperative; '' where there is nothing to do. */
  readonly advice: string
}

const WORST_FIRST = ['bad', 'unknown', 'doubtful', 'good'] as const

/** The state of several findings together; undefined where there is none. */
export function worst(findings: readonly Finding[]): Finding['state'] | undefined {
  return WORST_FIRST.find(state => findings.some(finding => finding.state === state))
}
