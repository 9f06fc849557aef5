import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { SECOND } from '../base/clock.ts'
import { messageOf } from '../base/problem.ts'
import type { Secret } from '../base/secret.ts'
import type { LoadedRelay } from '../config/load-relay.ts'
import { LdapTrouble } from '../directory/ldap-session.ts'
import { surveyLdap, type LdapSurvey, type SurveyWishes } from '../directory/ldap-survey.ts'
import type { LoginResult } from '../directory/principal.ts'
import { createDirectory } from './directory-part.ts'

export type { LdapSurvey } from '../directory/ldap-survey.ts'

export interface DirectoryAccess {
  readonly url: string
  readonly startTls: boolean
  readonly ca: string | undefined
  readonly servername: string | undefined
  readonly bindDn: string
  readonly bindPassword: Secret
}

export type Surveyed =
  | { readonly kind: 'found'; readonly survey: LdapSurvey }
  | { readonly kind: 'nobody' }
  /** The DN or its password is wrong. */
  | { readonly kind: 'denied' }
  | { readonly kind: 'failed'; readonly why: string }

/** How a directory of which only the address is known is to be read. */
export async function surveyDirectory(
  { ca, servername, ...access }: DirectoryAccess,
  wishes: SurveyWishes,
): Promise<Surveyed> {
  const connection = {
    ...access,
    ...(ca !== undefined && { ca }),
    ...(servername !== undefined && { servername }),
    operationTimeout: 10 * SECOND,
  }
  try {
    const survey = await surveyLdap(connection, wishes, AbortSignal.timeout(60 * SECOND))
    return survey === undefined ? { kind: 'nobody' } : { kind: 'found', survey }
  } catch (error) {
    if (error instanceof LdapTrouble && error.kind === 'denied') return { kind: 'denied' }
    return { kind: 'failed', why: messageOf(error) }
  }
}

/** How many can log in, and whether one of them can. */
export interface DirectoryTrial {
  /** Why the directory could not be read; '' if it could. */
  readonly trouble: string
  readonly accounts: number
  readonly usable: number
  readonly login: LoginResult['kind'] | 'unknown-login'
}

/** Reads the directory as the relay will, keeps nothing of it, and tries a login. */
export async function tryDirectory(
  relay: LoadedRelay,
  login: string,
  password: string,
): Promise<DirectoryTrial> {
  const folder = await mkdtemp(join(tmpdir(), 'mailcanary-'))
  const troubles: string[] = []
  const directory = createDirectory(
    relay,
    { clock: Date.now, random: Math.random, folder: { file: name => join(folder, name) } },
    event => {
      if (event.kind === 'directory-sync-failed') troubles.push(event.cause)
      if (event.kind === 'directory-sync-refused') troubles.push(event.reason)
    },
  )
  try {
    await directory.start()
    const known = directory.account(login) !== undefined
    const { kind } = await directory.authenticate(login, password)
    return {
      trouble: troubles.join('; '),
      accounts: [...directory.everybody()].length,
      usable: directory.status().accounts,
      login: known || kind === 'unavailable' ? kind : 'unknown-login',
    }
  } finally {
    await directory.stop()
    await rm(folder, { recursive: true, force: true })
  }
}
