import type { Random } from '../base/clock.ts'

/** What a canary says. A content is data: a new one is a row. */
export interface Content {
  /** Word of the configuration and of the probe's name. */
  readonly name: string
  readonly subjects: readonly string[]
  readonly greetings: readonly string[]
  readonly sentences: readonly string[]
  readonly closings: readonly string[]
}

/** What one canary says. */
export interface Wording {
  readonly subject: string
  readonly text: string
}

const PLAIN: Content = {
  name: 'plain',
  subjects: [
    'Minutes of the last meeting',
    'Question about the schedule',
    'Notes from this week',
    'The list for Thursday',
    'Room for the next meeting',
    'Small change to the plan',
    'A correction to my last mail',
    'Timetable for next month',
    'Draft of the summary',
    'Following up on our call',
  ],
  greetings: ['Hello,', 'Good morning,', 'Hi,', 'Good day,', 'Dear colleague,', 'Hello again,'],
  sentences: [
    'I went through the notes once more and found nothing that still has to be changed.',
    'The meeting room on the second floor is free again from next week on.',
    'Could you have a look at the second paragraph when you find the time?',
    'We agreed to keep the date, so please leave it in your calendar.',
    'The printed copies are on the table beside the window.',
    'If the train is late again I will join by telephone.',
    'There were fewer questions than last time, which I take as a good sign.',
    'Please tell me if the order of the points does not suit you.',
    'I have put the older versions aside, so that nobody confuses them.',
    'The figures are the same as in the last version; only the wording is new.',
    'Nothing of this is urgent, and an answer next week is early enough.',
    'The summary is about one page long and easy to read on the way.',
    'I would rather wait for the final list before we write to everybody.',
    'The library has the book we spoke about, and it can be fetched any day.',
    'Let us use the shorter title; the long one did not fit on the page.',
    'The heating has been repaired, so we can meet in the usual place.',
  ],
  closings: ['Best regards', 'Kind regards', 'Many thanks', 'Until then', 'With best wishes'],
}

export const CONTENTS: ReadonlyMap<string, Content> = new Map([[PLAIN.name, PLAIN]])

/**
 * Picks words for one canary. Identical mail is filtered as bulk mail, so no two are to be the same: the plain
 * content has some half a million forms.
 */
export function wordingOf(content: Content, random: Random): Wording {
  const pick = (from: readonly string[]): string => from[Math.floor(random() * from.length)] ?? ''
  const rest = [...content.sentences]
  const sentences: string[] = []
  for (let i = 0; i < 3 && rest.length > 0; i++) {
    sentences.push(...rest.splice(Math.floor(random() * rest.length), 1))
  }
  return {
    subject: pick(content.subjects),
    text: `${pick(content.greetings)}\n\n${sentences.join(' ')}\n\n${pick(content.closings)}\n`,
  }
}
