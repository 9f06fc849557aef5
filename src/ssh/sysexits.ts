/** Exit codes of sysexits.h: what programs that call a sendmail go by. */
export const EX = {
  ok: 0,
  /** The command line is wrong. */
  usage: 64,
  /** The message is not one that can be sent. */
  dataErr: 65,
  /** A recipient is no address. */
  noUser: 67,
  /** The domain of a recipient cannot be one. */
  noHost: 68,
  /** Refused for good, and none of the others. */
  unavailable: 69,
  /** A fault of this program. */
  software: 70,
  /** The message could not be read. */
  ioErr: 74,
  /** Not now: the same may work later. */
  tempFail: 75,
  /** The relay says what cannot be understood. */
  protocol: 76,
  /** This login may not send, or not as that sender. */
  noPerm: 77,
} as const

/** Ends a program with one of these codes and a sentence on standard error. */
export class Exit extends Error {
  override readonly name = 'Exit'
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}
