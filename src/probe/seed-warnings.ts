import { DAY } from '../base/clock.ts'
import { MAX_OTHERS } from './folders.ts'
import type { Inspection } from './imap-inspection.ts'
import type { Seed } from './seed.ts'

/** Yahoo is said to show no more of a folder. */
const MANY_MESSAGES = 10_000
const YOUNG = 30 * DAY

/** Why an account is not looked at beside a prober that runs. */
export function oneTooMany({ provider, connections = 1 }: Seed): string {
  const borne = provider.imap?.connections ?? 0
  return `not looked at: ${provider.name} bears ${borne} of an account's connections at the same time, and the daemon that runs holds ${connections}; stop it first`
}

/** What would go wrong, or be hard to read, with a seed as it was found: a sentence each. Pure. */
export function warningsOf(seed: Seed, seen: Inspection, now: number): readonly string[] {
  const warnings: string[] = []
  const has = (word: string): boolean => seen.capabilities.includes(word)
  const { imap, authHosts } = seed.provider
  if (seen.fault !== '') return explained(seed, seen.fault)
  const spam = seen.folders.find(folder => folder.takenFor === 'spam')
  if (spam === undefined) {
    warnings.push(
      seed.junkFolder === undefined
        ? 'No folder can be taken for junk, so nothing would be known: name it with junk_folder.'
        : `There is no folder ${seed.junkFolder}, which junk_folder names, so nothing would be known.`,
    )
  } else if (spam.by === 'name') {
    warnings.push(
      `${spam.path} is taken for junk by its name alone: if that is wrong, name the right one with junk_folder.`,
    )
  }
  if (!has('IDLE') && imap?.idle !== false) {
    warnings.push('The server has no IDLE: news are found by polling (imap.poll_every).')
  }
  if (!has('UIDPLUS')) {
    warnings.push(
      'The server has no UIDPLUS: canaries cannot be deleted, and the mailbox fills up.',
    )
  }
  if (seen.folders.filter(folder => folder.takenFor === 'other').length >= MAX_OTHERS) {
    warnings.push(
      `There are many folders, and only ${MAX_OTHERS} beside INBOX and junk are looked into: is this somebody's own account?`,
    )
  }
  for (const { path, messages = 0 } of seen.folders) {
    if (messages < MANY_MESSAGES) continue
    warnings.push(`${path} holds ${messages} messages: some servers show no more than 10000.`)
  }
  if (authHosts.length > 0 && seen.authHosts.length > 0 && !seen.authHosts.some(known(authHosts))) {
    warnings.push(
      `Authentication-Results is written by ${seen.authHosts.map(host => host || 'a host without name').join(', ')}, which the provider's row does not know: add it to auth_hosts.`,
    )
  }
  if (seed.createdAt !== undefined && now - seed.createdAt < YOUNG) {
    warnings.push('The account is younger than 30 days: filters treat it unlike others.')
  }
  return warnings
}

/** Whether a host is one of those that the row names, as a suffix. */
function known(authHosts: readonly string[]): (host: string) => boolean {
  return host =>
    authHosts.some(suffix => (suffix === '' ? host === '' : host.toLowerCase().endsWith(suffix)))
}

/** What people should do about a fault, where the words of the server do not say it. */
function explained(seed: Seed, fault: string): readonly string[] {
  const { signIn = 'password' } = seed
  const rows: readonly (readonly [RegExp, string])[] = [
    [
      /basic authentication is disabled/i,
      'The server takes no passwords: set sign_in: oauth2, and use mailcanary seed login.',
    ],
    [
      /authenticated but not connected|connection closed\. 14/i,
      'Outlook accepts the sign-in and refuses the mailbox: switch IMAP on in the settings of the account, and see that nobody else is connected to it.',
    ],
    [/too many|\[LIMIT\]/i, 'Too many connections or sign-ins: wait some minutes before the next.'],
    [
      /AUTHENTICATIONFAILED|invalid credentials|AUTHENTICATE failed/i,
      signIn === 'oauth2'
        ? 'The token was refused: was the browser signed in to another account? Use mailcanary seed login again.'
        : 'The password was refused: is it an app password, and is 2-Step Verification still on?',
    ],
    [
      /altname|self.signed|unable to (?:get|verify)|certificate/i,
      'The certificate is not the one of this host: see imap.host, imap.server_name and imap.ca.',
    ],
    [
      /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|no answer within/i,
      'See imap.host and imap.port.',
    ],
  ]
  return rows.filter(([words]) => words.test(fault)).map(([, advice]) => advice)
}
