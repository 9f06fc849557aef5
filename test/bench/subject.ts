/** A submission server that is measured, with a login that may send. It hands everything to one next hop. */
export interface Subject {
  readonly name: string
  /** STARTTLS. */
  readonly port: number
  /** Its processes; what they start counts too. */
  readonly pids: () => readonly number[]
  stop(): Promise<void>
}

export const LOGIN = 'alice'
export const PASSWORD = 'canary-demo'
export const SENDER = 'alice@example.org'
export const RECIPIENT = 'bob@example.net'
