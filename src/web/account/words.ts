import type { SignInWay } from '../../account/events.ts'
import type { ChangeState, Unfit } from '../../account/mail-password.ts'
import { SHORTEST_PASSWORD } from '../../account/mail-password.ts'
import type { AccountView } from '../../account/self-service.ts'
import { MINUTE } from '../../base/clock.ts'
import { formatReply } from '../../mail/reply.ts'
import { adviceFor } from '../../mail/report-text.ts'
import { DEFAULT_LIMITS } from '../../relay/submission/limits.ts'

/** What the page says. Pure; the reader runs no mail server. */

/** The state of something as one word with its colour, and what it means in a sentence or two. */
export interface Saying {
  readonly tone: 'good' | 'doubtful' | 'bad' | 'none'
  readonly word: string
  readonly text: string
}

type Rejection = NonNullable<AccountView['password']['rejection']>

/** Times of a page, in the zone of the server, which the page names. */
export function clockTime(at: number, now: number): string {
  const time = new Date(at).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })
  return sameDay(at, now) ? time : `${dayOf(at, now)}, ${time}`
}

export function dayOf(at: number, now: number): string {
  if (sameDay(at, now)) return 'today'
  const year =
    new Date(at).getFullYear() === new Date(now).getFullYear() ? {} : { year: 'numeric' as const }
  return new Date(at).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', ...year })
}

/** The state of the mail password: what was seen, and no more. */
export function passwordSaying(view: AccountView, now: number): Saying {
  const { change, rejection, changedAt } = view.password
  if (change !== undefined) return changeSaying(change, now)
  if (rejection !== undefined) {
    return {
      tone: 'bad',
      word: 'no mail password',
      text: REJECTED[rejection] ?? 'It cannot be used.',
    }
  }
  return {
    tone: 'good',
    word: 'in use',
    text:
      changedAt === undefined
        ? 'It has not changed for as long as this server remembers.'
        : `What the directory has about you was last seen to change ${at(changedAt, now)}; that has arrived here.`,
  }
}

function changeSaying({ at: made, state, arrivedAt = made }: ChangeState, now: number): Saying {
  const time = clockTime(made, now)
  switch (state) {
    case 'arrived':
      return {
        tone: 'good',
        word: 'arrived',
        text: `Your password of ${time} has arrived: this server has used it since ${clockTime(arrivedAt, now)}. The old one does not work any more.`,
      }
    case 'under-way':
      return {
        tone: 'doubtful',
        word: 'on its way',
        text: `The directory took your password at ${time}, but it has not arrived here yet: until then your programs log in with the old one.`,
      }
    case 'unconfirmed':
      return {
        tone: 'doubtful',
        word: 'not confirmed',
        text: `The directory was asked to change your password at ${time} and did not answer: it may have done so or not. If it has, this page will say that the new one has arrived; until then the old one is the one that works here.`,
      }
  }
}

const REJECTED: Readonly<Partial<Record<Rejection, string>>> = {
  'no-password': 'You have no mail password yet. Without one no program can send mail for you.',
  ambiguous:
    'The directory has two mail passwords for you, and nobody can say which is meant. A new one replaces both.',
  'unknown-scheme':
    'Your mail password is kept in a form that this server cannot check. A new one mends that.',
  malformed: 'What the directory has as your mail password is damaged. A new one mends that.',
  'too-costly':
    'Your mail password is kept in a form that takes too long to check. A new one mends that.',
  'des-not-allowed':
    'Your mail password is kept in a form that is not safe any more. A new one mends that.',
}

/** How fresh what this server knows of the directory is. */
export function directorySentence({ directory }: AccountView, now: number): string {
  const { comparedAt, troubleSince } = directory
  const compared =
    comparedAt === undefined
      ? 'The directory has not been read yet.'
      : `Last compared with the directory ${at(comparedAt, now)}.`
  return troubleSince === undefined
    ? compared
    : `${compared} Since ${clockTime(troubleSince, now)} it cannot be read: what was changed there later is not in force here.`
}

export const WRONG_FORM =
  'That form was too old, or not from this page. Nothing was done; please try again.'
export const TOO_MANY = `Too many wrong passwords from your network. Wait ${DEFAULT_LIMITS.loginWindow / MINUTE} minutes.`
export const CANNOT_NOW =
  'This cannot be done now: the directory does not answer. Your password was not checked, and nothing was changed; try again later.'

/** Why a password could not be judged. */
export function unavailableSentence(way: SignInWay): string {
  return way === 'directory'
    ? 'The directory does not answer now, so your password could not be checked: that does not mean that it is wrong. Try again later. With your mail password you can look meanwhile.'
    : 'Passwords cannot be checked now: that does not mean that yours is wrong. Try again later.'
}

const BARRED: Readonly<Record<string, string>> = {
  locked: 'Your password is right, but your account is locked.',
  expired: 'Your password is right, but your account has expired.',
  retired: 'Your password is right, but your account is retired.',
  'unknown-here':
    'Your password is right, but this mail server does not know your account. If it is new, try again in a few minutes.',
}

/** Why somebody with the right password does not come in. */
export function barredSentence(rejection: string): string {
  const why =
    BARRED[rejection] ??
    'Your password is right, but the directory has something wrong about your account.'
  return `${why} Please ask the people who run your mail.`
}

const UNFIT: Readonly<Record<Unfit, string>> = {
  short: `The new password is too short: it takes ${SHORTEST_PASSWORD} characters or more.`,
  long: 'The new password is too long.',
  unprintable: 'The new password has characters in it that no keyboard types.',
  'like-login': 'The new password is little more than your login.',
  'like-directory':
    'The new password is the one of your account in the directory. Take another: this one will lie in mail programs.',
}

/** What is wrong with a new password. */
export function unfitSentence(why: Unfit): string {
  return UNFIT[why]
}

/** A message that did not get through: when, to whom, what that means, and who said what. */
export interface Trouble {
  readonly at: number
  readonly to: string
  readonly meaning: string
  readonly said: string
}

/** What was refused lately, by others and by us, the latest first. */
export function troubles({ mail, refusals }: AccountView): readonly Trouble[] {
  const byOthers = (mail?.refused ?? []).map(({ acceptedAt, to, reply, host, class: reason }) => ({
    at: acceptedAt,
    to,
    meaning: adviceFor(reason),
    said: [host, formatReply(reply)].filter(text => text !== '').join(': '),
  }))
  const byUs = refusals.map(({ at: when, code, enhanced, reason }) => ({
    at: when,
    to: '',
    meaning: refusalMeaning(code, enhanced),
    said: `this server: ${[code, enhanced, reason].join(' ')}`,
  }))
  return [...byOthers, ...byUs].toSorted((one, other) => other.at - one.at)
}

/** Of a reply of ours: what its sender can do. Temporary is what begins with 4 (RFC 5321 section 4.2.1). */
function refusalMeaning(code: number, enhanced: string): string {
  if (code < 500) {
    return 'It was not taken at that moment. Your program may have sent it again; if you do not find it among what was sent, send it again.'
  }
  switch (enhanced) {
    case '5.7.1':
    case '5.7.8':
      return 'The sender was not one of your addresses. Choose one of those above in your mail program.'
    case '5.3.4':
      return 'It was too large. Leave out attachments, or send a link to them.'
    case '5.6.0':
      return 'Your program sent something that is no proper message. Please tell the people who run your mail which program it was.'
    default:
      return 'Your program was told at once, and should have told you. The words below say why.'
  }
}

function at(time: number, now: number): string {
  return sameDay(time, now) ? `at ${clockTime(time, now)}` : `on ${clockTime(time, now)}`
}

function sameDay(one: number, other: number): boolean {
  return new Date(one).toDateString() === new Date(other).toDateString()
}
