import type { Registry } from 'prom-client'

import type { AccountEvent } from '../../account/events.ts'
import { combinations, counter } from './instruments.ts'

/** Metrics of the page where people look after their account. */
export function accountMetrics(registry: Registry): (event: AccountEvent) => void {
  const signIns = counter(
    registry,
    'mailcanary_account_sign_ins_total',
    'Passwords shown at the account page, to sign in or to change something. unavailable: could not be checked.',
    combinations({
      way: ['directory', 'mail'],
      result: ['accepted', 'refused', 'unavailable'],
    }),
  )
  const changes = counter(
    registry,
    'mailcanary_account_password_changes_total',
    'Changes of a mail password by its owner. unknown: the directory was asked and did not answer.',
    combinations({ result: ['changed', 'refused', 'unavailable', 'unknown'] }),
  )
  const programs = counter(
    registry,
    'mailcanary_account_application_passwords_total',
    'Application passwords created and revoked by their owners.',
    combinations({ action: ['created', 'revoked'] }),
  )
  return event => {
    switch (event.kind) {
      case 'account-sign-in':
        signIns.inc({ way: event.way, result: event.result })
        return
      case 'mail-password-change':
        changes.inc({ result: event.result })
        return
      case 'application-password':
        programs.inc({ action: event.action })
        return
      case 'account-fault':
        return
    }
  }
}
