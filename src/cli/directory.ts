import { readFile } from 'node:fs/promises'

import { InvalidArgumentError, type Command } from 'commander'

import type { DirectoryAnswer } from '../app/directory-control.ts'
import { Problem } from '../base/problem.ts'
import type { CommandContext } from './context.ts'
import {
  addDirectoryOptions,
  askDirectory,
  configuredRelay,
  type DirectoryOptions,
} from './directory-access.ts'
import { accountLines, directoryLines, HOW_TO_ACCEPT, unknownLogin } from './directory-words.ts'
import { readPassword } from './password-input.ts'
import { print, printJson } from './print.ts'
import { amount } from './table.ts'

interface LdifOptions extends DirectoryOptions {
  readonly name: string
  readonly uidNumber?: number
  readonly key?: string
  readonly ask?: boolean
}

interface SyncOptions extends DirectoryOptions {
  readonly full?: boolean
  readonly accept?: boolean
}

/** `mailcanary directory`: who may send, as the relay knows it. */
export function addDirectory(program: Command, context: CommandContext): void {
  const directory = program
    .command('directory')
    .description('Tell who may send, compare with the directory now, and make new accounts.')
  addStatus(directory, context)
  addVerify(directory, context)
  addExport(directory)
  addSync(directory, context)
  addLdif(directory)
}

function addStatus(directory: Command, { exitWith }: CommandContext): void {
  addDirectoryOptions(directory.command('status'))
    .description('Tell how fresh the directory is, or what is known of one login.')
    .argument('[login]', 'what is known of it: whether it can log in, which password has arrived')
    .option('--json', 'one line of JSON for the directory, and one for the login')
    .addHelpText(
      'after',
      `
Asks the running daemon; where none runs, tells what the snapshot on disk says. No hash is printed.

Exit code: 0, 1 if the login is unknown (or a problem was printed).

Examples:
  mailcanary directory status
  mailcanary directory status alice`,
    )
    .action(async (login: string | undefined, options: DirectoryOptions) => {
      const request =
        login === undefined ? { ask: 'status' as const } : { ask: 'account' as const, login }
      let directoryAnswer: Extract<DirectoryAnswer, { kind: 'directory' }> | undefined
      for await (const answer of askDirectory(options, request)) {
        if (answer.kind === 'unknown') exitWith(1)
        if (options.json === true) printJson(answer)
        else if (answer.kind === 'directory' && login === undefined) {
          print(directoryLines(answer.status, Date.now()))
        } else if (answer.kind === 'directory') directoryAnswer = answer
        else if (answer.kind === 'account') {
          print(accountLines(answer.account, directoryAnswer, Date.now()))
        } else print([unknownLogin(login ?? '')])
      }
    })
}

function addVerify(directory: Command, { exitWith }: CommandContext): void {
  addDirectoryOptions(directory.command('verify'))
    .description('Try a password as the submission port would, and say what comes of it.')
    .argument('<login>', 'the login')
    .option('--json', 'one line of JSON for the result, one for the directory, one for the login')
    .addHelpText(
      'after',
      `
Asks for the password without showing it, or reads one line of standard input. Only the running daemon can tell.

Exit code: 0 if it is accepted, 1 if it is refused (or a problem was printed), 2 if it cannot be verified now.

Examples:
  mailcanary directory verify alice
  mailcanary directory verify alice < password-file`,
    )
    .action(async (login: string, options: DirectoryOptions) => {
      const password = await readPassword(`mail password of ${login}`)
      let directoryAnswer: Extract<DirectoryAnswer, { kind: 'directory' }> | undefined
      for await (const answer of askDirectory(options, { ask: 'verify', login, password })) {
        if (options.json === true) printJson(answer)
        if (answer.kind === 'verified') {
          exitWith({ accepted: 0, refused: 1, unavailable: 2 }[answer.result])
          if (options.json !== true) print([VERIFIED[answer.result]])
        } else if (answer.kind === 'directory') {
          directoryAnswer = answer
        } else if (answer.kind === 'account' && options.json !== true) {
          print(accountLines(answer.account, directoryAnswer, Date.now()))
        } else if (answer.kind === 'unknown' && options.json !== true) {
          print([unknownLogin(login)])
        }
      }
    })
}

const VERIFIED = {
  accepted: 'accepted: this password logs in',
  refused: 'refused: this password does not log in',
  unavailable: 'cannot be verified now: nothing is said about the password',
} as const

function addExport(directory: Command): void {
  addDirectoryOptions(directory.command('export'))
    .description('Print everybody the relay knows, for a review. No secret is in it.')
    .option('--json', 'one line of JSON for each login, with the fingerprints of its keys')
    .addHelpText(
      'after',
      `
One line a login, sorted: login, "yes" or why it cannot log in, scheme of the hash, number of SSH keys, addresses.
Fields are separated by tabs.

Exit code: 0, 1 if a problem was printed.

Example:
  mailcanary directory export > accounts-$(date +%F).tsv`,
    )
    .action(async (options: DirectoryOptions) => {
      const rows: string[] = []
      for await (const answer of askDirectory(options, { ask: 'export' })) {
        if (answer.kind !== 'account') continue
        const { login, rejection, scheme, keys, addresses } = answer.account
        if (options.json === true) printJson(answer.account)
        else {
          rows.push(
            [
              login,
              rejection ?? 'yes',
              scheme || '-',
              keys.length,
              addresses.join(',') || '-',
            ].join('\t'),
          )
        }
      }
      print(rows.sort())
    })
}

function addSync(directory: Command, { exitWith }: CommandContext): void {
  addDirectoryOptions(directory.command('sync'))
    .description('Compare with the directory now, instead of at the next turn.')
    .option('--full', 'read everything: only that sees who is gone')
    .option(
      '--accept',
      'believe what was refused because too many would lose their login; reads everything, and never takes a directory with which nobody could log in',
    )
    .option('--json', 'one line of JSON for each source')
    .addHelpText(
      'after',
      `
Exit code: 0 if every source was read and believed, 1 if one was not (the reason is printed).

Examples:
  mailcanary directory sync
  mailcanary directory sync --accept`,
    )
    .action(async (options: SyncOptions) => {
      const { full = false, accept = false } = options
      for await (const answer of askDirectory(options, { ask: 'sync', full, accept })) {
        if (answer.kind === 'not-synced') exitWith(1)
        if (options.json === true) printJson(answer)
        else if (answer.kind === 'synced') {
          print([
            `${answer.source}: ${amount(answer.changed, 'change')}${answer.full ? ', everything was read' : ''}`,
          ])
        } else if (answer.kind === 'not-synced') {
          const how = answer.how === 'failed' ? 'could not be read' : 'was not believed'
          print([
            `${answer.source}: ${how}: ${answer.why}; the snapshot stays as it was`,
            ...(answer.acceptable ? [HOW_TO_ACCEPT] : []),
          ])
        }
      }
    })
}

function addLdif(directory: Command): void {
  directory
    .command('ldif')
    .description('Print a new account for ldapadd, with a password that nobody has chosen.')
    .argument('<login>', 'the login')
    .requiredOption('--name <name>', 'the full name')
    .option('--uid-number <n>', 'uidNumber and gidNumber; userdir-ldap wants them', readNumber)
    .option('--key <file>', 'a file with public SSH keys, one a line')
    .option('--ask', 'ask for the password, or read it from standard input, instead of making one')
    .option(
      '--relay <file>',
      'configuration that says what the directory looks like (default: /etc/mailcanary/relay.yaml)',
    )
    .addHelpText(
      'after',
      `
The entry goes to standard output; a password that was made, to standard error, once. Nothing is changed and no server is asked.

Exit code: 0, 1 if a problem was printed.

Example:
  mailcanary directory ldif alice --name "Alice Example" |
    ldapadd -H ldaps://ldap.example.org -D cn=admin,dc=example,dc=org -W`,
    )
    .action(async (login: string, options: LdifOptions) => {
      const relay = await configuredRelay(options.relay)
      const keys = options.key === undefined ? '' : await readKeyFile(options.key)
      // A command line that only asks should not have to load libcrypt.
      const { makeAccount } = await import('../app/new-account.ts')
      const asked =
        options.ask === true ? await readPassword(`new mail password of ${login}`) : undefined
      const { ldif, password } = await makeAccount(relay, {
        login,
        name: options.name,
        password: asked,
        keys: keys.split('\n').filter(line => line.trim() !== ''),
        number: options.uidNumber,
      })
      process.stdout.write(ldif)
      if (asked === undefined) {
        process.stderr.write(`mail password of ${login}, shown this once: ${password}\n`)
      }
    })
}

async function readKeyFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    throw new Problem(`${path} cannot be read: name a file with public keys, one a line`)
  }
}

function readNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('This is no number.')
}
