/** What an operator can do to a message. */
export type OperatorAction = 'retry' | 'hold' | 'release' | 'drop'

/** Who does something, and when: milliseconds since the epoch. */
export interface Operator {
  readonly by: string
  readonly at: number
}

/** What a standing hold keeps back. `value` is a lower-case domain, a login, or '' for everything. */
export interface HoldTarget {
  readonly kind: 'everything' | 'destination' | 'login'
  readonly value: string
}

export interface StandingHold extends HoldTarget, Operator {
  /** How many deliveries it keeps back now. */
  readonly deliveries: number
}

/** A delivery that has not ended, as an operator sees it. */
export interface WaitingDelivery {
  /** Later deliveries have greater ones. */
  readonly deliveryId: string
  /** Of the message. */
  readonly id: string
  readonly login: string
  readonly reversePath: string
  readonly acceptedAt: number
  readonly size: number
  readonly domain: string
  /** How many recipients have not reached their end. */
  readonly recipients: number
  readonly state: 'queued' | 'active' | 'held'
  /** Why it is held; '' if it is not. */
  readonly kept: string
  readonly dueAt: number
  readonly attempts: number
  readonly lastReply: string
  readonly lastHost: string
}

/**
 * The queue in the hands of an operator. Nothing here changes a delivery that is being attempted: what its attempt
 * comes to would be lost, or done twice.
 */
export interface QueueOperations {
  /** Deliveries that have not ended, oldest first, beginning behind the delivery `after`; of one kind, where told. */
  list(request: {
    readonly limit: number
    readonly after?: string
    readonly of?: { readonly kind: 'message' | 'destination' | 'login'; readonly value: string }
  }): Promise<readonly WaitingDelivery[]>
  /**
   * Tries again now, keeps back, lets go again, or removes without a report. The timeline says who did it. What a
   * standing hold keeps back is neither tried nor let go by this.
   *
   * @param request `domain`: only the delivery to this one
   * @returns how many deliveries changed, and how many are being attempted and were left alone; undefined if there is
   * no such message
   */
  operate(
    id: string,
    request: Operator & { readonly action: OperatorAction; readonly domain?: string },
  ): Promise<{ readonly changed: number; readonly busy: number } | undefined>
  /** Keeps back what is there and what comes, beginning with the next lease. @returns false if it did already */
  hold(target: HoldTarget, operator: Operator): Promise<boolean>
  /** Ends a standing hold; everything keeps its place and its time. @returns false if there is none */
  lift(target: HoldTarget, operator: Operator): Promise<boolean>
  /** The holds that stand, oldest first. */
  holds(): Promise<readonly StandingHold[]>
}
