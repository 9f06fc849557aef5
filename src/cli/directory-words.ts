import type {
  AccountStatus,
  DirectoryAnswer,
  DirectoryStatus,
  SyncTrouble,
} from '../app/directory-control.ts'
import { formatDuration } from '../base/duration.ts'
import { amount, table } from './table.ts'
import { ago, dateTime } from './times.ts'

/** The directory as an administrator reads it. */
export function directoryLines(status: DirectoryStatus, now: number): readonly string[] {
  const { accounts, weak, rejected, lastChange, toMend, sources, schemes } = status
  const left = Object.entries(rejected)
  return [
    `${amount(accounts, 'account')} can log in${left.length === 0 ? '' : '; left out:'}`,
    ...table(left.map(([reason, count]) => [String(count), reason, WHY[reason] ?? ''])).map(
      line => `  ${line}`,
    ),
    ...(weak === 0
      ? []
      : [`${amount(weak, 'password')} with a hash that can be guessed: ask for new ones`]),
    ...sources.flatMap(({ name, accounts: usable, takenAt, trouble, notes }) => [
      `source ${name}: ${amount(usable, 'account')}, ${takenAt === undefined ? 'never read' : `compared ${ago(takenAt, now)}`}`,
      ...(trouble === undefined
        ? []
        : [
            `  ${troubleWords(trouble)} (${ago(trouble.at, now)}): ${trouble.words}`,
            ...(trouble.acceptable ? [`  ${HOW_TO_ACCEPT}`] : []),
          ]),
      ...notes.map(note => `  note: ${note}`),
    ]),
    ...(lastChange === undefined
      ? []
      : [
          `last change seen: ${lastChange.login}, ${dateTime(lastChange.at)} (${ago(lastChange.at, now)})`,
        ]),
    ...(schemes.length === 0
      ? []
      : [`this host verifies ${schemes.join(', ')}, ssha, pbkdf2, argon2`]),
    ...(toMend.length === 0 ? [] : ['to mend at the source:']),
    ...table(toMend.map(({ login, reason }) => [login, WHY[reason] ?? reason])).map(
      line => `  ${line}`,
    ),
  ]
}

/** One login, as somebody needs it who is asked why mail does not go. */
export function accountLines(
  account: AccountStatus,
  directory: Extract<DirectoryAnswer, { kind: 'directory' }> | undefined,
  now: number,
): readonly string[] {
  const { login, rejection, scheme, addresses, keys, unusableKeys } = account
  const rows = [
    [
      'login',
      rejection === undefined
        ? 'can log in with its password'
        : `cannot log in with a password: ${WHY[rejection] ?? rejection}`,
    ],
    ['password', passwordWords(account, now)],
    ...(scheme === '' ? [] : [['stored as', scheme]]),
    [
      'sends as',
      addresses.length === 0
        ? 'nobody: no address of your domains is its own'
        : addresses.join(', '),
    ],
    [
      'SSH keys',
      `${keys.length}${unusableKeys === 0 ? '' : `, and ${unusableKeys} not taken (with options, too weak, another type, or another login has it too)`}`,
    ],
    ...keys.map(key => ['', key]),
    ...(account.changedAt === undefined
      ? []
      : [
          [
            'changed',
            `${dateTime(account.changedAt)} (${ago(account.changedAt, now)}), as far as mail is concerned`,
          ],
        ]),
    ...(directory === undefined ? [] : [['directory', freshness(directory, now)]]),
  ]
  return [login, ...table(rows).map(line => `  ${line}`)]
}

/** What is said of a login that we do not know. */
export function unknownLogin(login: string): string {
  return `there is no login ${login} in the directory, as this relay has read it; if it is new: mailcanary directory sync`
}

/** The answer to "has my new password arrived?". */
function passwordWords(account: AccountStatus, now: number): string {
  const { passwordSeenAt: seen, passwordWrittenAt: written } = account
  if (account.scheme === '') {
    return OF_THE_PERSON.has(account.rejection ?? '')
      ? 'not kept here, since the account itself may not log in'
      : 'none that can be used'
  }
  if (seen === undefined) return 'unchanged since this relay first read the directory'
  const arrived = `${dateTime(seen)} (${ago(seen, now)})`
  if (written === undefined) return `the one that arrived here at ${arrived}`
  return `the one of ${dateTime(written)}; it arrived here at ${arrived}`
}

function freshness(
  { status, syncEvery }: Extract<DirectoryAnswer, { kind: 'directory' }>,
  now: number,
): string {
  const age = status.ageSeconds
  if (age === undefined) return 'not read yet'
  const troubled = status.sources.find(({ trouble }) => trouble !== undefined)?.trouble
  const trouble = troubled === undefined ? '' : `; ${troubleWords(troubled)}: ${troubled.words}`
  return `compared ${ago(now - age * 1000, now)}, every ${formatDuration(syncEvery)}${trouble}`
}

function troubleWords({ kind, at }: SyncTrouble): string {
  const what = kind === 'failed' ? 'could not be read' : 'was not believed'
  return `${what}, since ${dateTime(at)}`
}

/** What to do where the guard protects people who are really gone. */
export const HOW_TO_ACCEPT =
  'if they are meant to be gone: mailcanary directory sync --accept; else mend the directory, and nobody has lost anything'

/** Reasons that are not about the password. */
const OF_THE_PERSON: ReadonlySet<string> = new Set([
  'locked',
  'expired',
  'retired',
  'excluded',
  'duplicate',
  'restricted',
])

const WHY: Readonly<Record<string, string>> = {
  locked: 'the directory has it locked',
  expired: 'expired (shadowExpire)',
  retired: 'retired (accountStatus)',
  excluded: 'in a group that is excluded (directory.ldap.exclude_groups)',
  'no-password': 'there is no mail password, or we may not read it',
  'bad-login': 'the name cannot be a login',
  duplicate: 'two entries have this login',
  ambiguous: 'the password attribute has two values: remove one',
  'unknown-scheme': 'the hash is of a scheme that cannot be verified here: set a new password',
  malformed: 'the hash is damaged: set a new password',
  'too-costly': 'the hash asks for more work than is allowed: set a new password',
  'des-not-allowed': 'the hash is DES, which is broken: set a new password',
  restricted: 'restricted to some networks, which cannot be kept here',
}
