import { tmpdir } from 'node:os'

import { tryDirectory } from '../../app/directory-survey.ts'
import { Problem } from '../../base/problem.ts'
import { loadDrafts, type Drafts } from './drafts.ts'
import type { Host } from './host-step.ts'
import { WELL, type Finding, type GivenSecret, type Interview } from './interview.ts'

/** The prober's own login at the relay. */
export interface CanaryLogin {
  readonly login: string
  readonly from: string
  readonly password: GivenSecret
}

/** @param drafts the relay as far as it is known: the login is tried against it */
export async function askCanaryLogin(
  interview: Interview,
  { domains }: Host,
  drafts: Drafts,
): Promise<CanaryLogin> {
  for (;;) {
    const login = await interview.ask({
      key: 'canary.login',
      ask: 'Login of the prober',
      why: 'Canaries are submitted with a login of their own in your directory, which the relay treats like any other.',
      unless: 'canary',
      test: text =>
        /^[^\s@]+$/.test(text) ? WELL : { ok: false, never: true, text: 'should be a login' },
    })
    let unknown = false
    const password = await interview.secret({
      key: 'canary.password',
      ask: 'Its mail password',
      why: `It is tried at once, as the relay will. Is there no ${login} yet? mailcanary directory ldif ${login} makes one.`,
      file: 'canary-password',
      test: async secret => {
        const { relay } = await loadDrafts(drafts, tmpdir())
        if (relay === undefined) throw new Problem('the relay could not be drafted')
        const trial = await tryDirectory(relay, login, secret.reveal())
        unknown = trial.login === 'unknown-login'
        return findingOf(login, trial)
      },
    })
    if (unknown && interview.isAttended) continue
    const from = interview.book.get('canary.from') ?? `${login}@${domains[0]}`
    return { login, from, password }
  }
}

function findingOf(
  login: string,
  { trouble, accounts, usable, login: result }: Awaited<ReturnType<typeof tryDirectory>>,
): Finding {
  if (trouble !== '') return { ok: false, text: `The directory could not be read: ${trouble}.` }
  const counted = `${accounts} logins are known, ${usable} of them can log in.`
  switch (result) {
    case 'accepted':
      return { ok: true, text: `${counted} ${login} is accepted.` }
    case 'unknown-login':
      return { ok: false, text: `${counted} There is no login ${login} among them.` }
    case 'refused':
      return { ok: false, text: `${counted} The password is not that of ${login}.` }
    case 'unavailable':
      return { ok: false, text: 'No password can be checked at the moment.' }
  }
}
