import type { Random } from '../base/clock.ts'
import { WORDS } from './content-words.ts'

/** What a canary resembles. */
export type ContentForm =
  /** Text alone. */
  | 'plain'
  /** HTML with its text beside it, as most mail programs send. */
  | 'html'
  /** An answer within a thread, with what it answers quoted. */
  | 'reply'
  /** Text, and a page as PDF. */
  | 'attachment'

/** What a canary says. A content is data: a new one is a few lines of the configuration. */
export interface Content {
  /** Word of the configuration and of the probe's name. */
  readonly name: string
  readonly form: ContentForm
  readonly subjects: readonly string[]
  readonly greetings: readonly string[]
  readonly sentences: readonly string[]
  readonly closings: readonly string[]
  /**
   * Marks the message as automatic (RFC 3834 section 5), so that no vacation notice comes back. Off unless told: a
   * canary is to be treated like the mail of people, and people do not write this.
   */
  readonly automatic: boolean
}

/** What one canary says. */
export interface Wording {
  readonly subject: string
  /** Paragraphs, the greeting first and the closing last. */
  readonly paragraphs: readonly string[]
  /** What is quoted beneath in a reply, and what the attached page says. */
  readonly further: readonly string[]
}

const SENTENCES = 3

/** The contents that need no configuration, by their names: one of each form. */
export const CONTENTS: ReadonlyMap<string, Content> = new Map(
  (['plain', 'html', 'reply', 'attachment'] as const).map(form => [
    form,
    { name: form, form, automatic: false, ...WORDS },
  ]),
)

/**
 * Picks words for one canary. Identical mail is filtered as bulk mail, so no two are to be the same: our own words have
 * some half a million forms.
 */
export function wordingOf(content: Content, random: Random): Wording {
  const pick = (from: readonly string[]): string => from[Math.floor(random() * from.length)] ?? ''
  const rest = [...content.sentences]
  const some = (): string[] => {
    const taken: string[] = []
    while (taken.length < SENTENCES && rest.length > 0) {
      taken.push(...rest.splice(Math.floor(random() * rest.length), 1))
    }
    return taken
  }
  return {
    subject: pick(content.subjects),
    paragraphs: [pick(content.greetings), some().join(' '), pick(content.closings)],
    further: some(),
  }
}
