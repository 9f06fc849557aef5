import type { AccountEvent } from '../../account/events.ts'
import { fault, info, of, warn, type Entry } from './entry.ts'

/** What the log says of what people do about their account. Pure; every kind is here, and the compiler sees to that. */
export function accountEntry(event: AccountEvent): Entry {
  switch (event.kind) {
    case 'account-sign-in':
      return signInEntry(event)
    case 'mail-password-change':
      return changeEntry(event)
    case 'application-password':
      return info('account', `application password ${event.action}`, of(event.login))
    case 'account-fault':
      return fault('account', `fault: ${event.cause}`)
  }
}

function signInEntry(event: Extract<AccountEvent, { kind: 'account-sign-in' }>): Entry {
  const { result, way, login, cause } = event
  const why = cause === undefined ? '' : `: ${cause}`
  const text = `${way} password ${result}${why}`
  const entry = info('account', text, of(login))
  if (result === 'unavailable') return { ...warn('account', text), person: of(login) }
  return result === 'accepted' ? entry : { ...entry, tone: 'doubtful' }
}

function changeEntry(event: Extract<AccountEvent, { kind: 'mail-password-change' }>): Entry {
  const { result, login, cause } = event
  const why = cause === undefined ? '' : `: ${cause}`
  const text = `change of the mail password: ${result}${why}`
  return result === 'changed'
    ? { ...info('account', text, of(login)), tone: 'good' }
    : { ...warn('account', text), person: of(login) }
}
