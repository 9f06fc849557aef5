/** What a simulated provider, or the old server, does with mail. */
export const BEHAVIOURS = [
  /** As one hopes. */
  'inbox',
  'spam',
  /** Files into a folder that is neither, as a person's own rule would. */
  'other',
  /** 421, in the provider's own words. */
  'defer',
  /** 5xx, likewise. */
  'refuse',
  /** Takes it with 250 and drops it. */
  'lose',
  /** Takes it and files it long afterwards. */
  'late',
  /** Mail arrives; its reader is turned away. */
  'unreadable',
  /** Nobody answers: the old server only. */
  'unreachable',
] as const
export type Behaviour = (typeof BEHAVIOURS)[number]
