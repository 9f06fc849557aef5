import { createInterface } from 'node:readline'

import type { Command } from 'commander'

import { seedOAuth } from '../app/seed-parts.ts'
import { formatDuration } from '../base/duration.ts'
import { messageOf, Problem } from '../base/problem.ts'
import { inspect } from '../probe/imap-inspection.ts'
import { beginCodeFlow } from '../probe/oauth/code-flow.ts'
import { signInByDevice } from '../probe/oauth/device-flow.ts'
import type { OAuthClient, TokenGrant } from '../probe/oauth/oauth-client.ts'
import { OAuthError } from '../probe/oauth/oauth-error.ts'
import { storedFrom } from '../probe/oauth/token-keeper.ts'
import { warningsOf } from '../probe/seed-warnings.ts'
import type { CommandContext } from './context.ts'
import { print, printJson } from './print.ts'
import { addProbesOption, chosenSeeds, loadSeeds, type SeedOptions } from './seed-files.ts'

interface LoginOptions extends SeedOptions {
  readonly browser?: boolean
  readonly json?: boolean
}

/** `mailcanary seed login NAME`: lets a person agree that the mailbox may be read. */
export function addSeedLogin(seed: Command, { exitWith }: CommandContext): void {
  addProbesOption(seed.command('login'))
    .description('Sign in to a seed with OAuth 2, in a browser anywhere, and keep the token.')
    .argument('<name>', 'the seed')
    .option('--browser', 'by a page that comes back to this machine, also where a code would do')
    .option('--json', 'one line of JSON for what has to be done, and for the end')
    .addHelpText(
      'after',
      `
The token is kept in the state folder (mode 0600; encrypted where oauth.token_key_file is configured), and refreshed
from then on. A daemon that runs takes it up by itself. Run it as the user the daemon runs as, or as root.

Exit code: 0 if the mailbox can be read, 1 if not.

Examples:
  mailcanary seed login hotmail-1
  sudo -u mailcanary mailcanary seed login gmail-1 --probes /etc/mailcanary/probes.yaml`,
    )
    .action(async (name: string, options: LoginOptions) => {
      const all = await loadSeeds(options)
      const [seed] = chosenSeeds(all, [name])
      const oauth = seedOAuth(all.loaded, all.providers, name, all.loaded.config.state)
      if (seed === undefined || oauth === undefined) {
        throw new Problem(
          `${name} signs in with a password: there is nothing to do here, unless you set sign_in: oauth2`,
        )
      }
      const { client, file } = oauth
      try {
        const grant = await (client.endpoints.deviceUrl === undefined || options.browser === true
          ? byBrowser(client, options)
          : byDevice(client, seed.address, options))
        await file.write(storedFrom(grant, Date.now(), undefined))
      } catch (error) {
        if (error instanceof OAuthError) throw new Problem(`${name}: ${sentenceOf(error)}`)
        throw error
      }
      const seen = await inspect(seed, {
        clock: Date.now,
        random: Math.random,
        signal: new AbortController().signal,
      })
      const ok = seen.fault === ''
      if (!ok) exitWith(1)
      const warnings = warningsOf(seed, seen, Date.now())
      if (options.json === true) {
        printJson({ seed: name, signedIn: true, readable: ok, fault: seen.fault, warnings })
      } else {
        const how = ok
          ? 'and the mailbox can be read'
          : `but the mailbox CANNOT BE READ: ${seen.fault}`
        print([`${name}: signed in, ${how}`, ...warnings.map(warning => `  ! ${warning}`)])
      }
    })
}

function byDevice(
  client: OAuthClient,
  address: string,
  options: LoginOptions,
): Promise<TokenGrant> {
  return signInByDevice(client, {
    clock: Date.now,
    signal: new AbortController().signal,
    invite: ({ url, code, until }) => {
      if (options.json === true) {
        printJson({ open: url, code, until: new Date(until).toISOString() })
        return
      }
      print([
        `Open  ${url}  in any browser, type the code  ${code}  and sign in as ${address}.`,
        `The code is good for ${formatDuration(until - Date.now())}; sometimes less. Waiting ...`,
      ])
    },
  })
}

async function byBrowser(client: OAuthClient, options: LoginOptions): Promise<TokenGrant> {
  const flow = await beginCodeFlow(client, new AbortController().signal)
  if (options.json === true) printJson({ open: flow.url })
  else {
    print([
      'Open this page in a browser and sign in to the account of the seed:',
      '',
      flow.url,
      '',
      'Is the browser on another machine, it ends on a page that cannot be reached: paste the address of that page here.',
    ])
  }
  const terminal = createInterface({ input: process.stdin })
  terminal.on('line', line => {
    if (line.trim() === '') return
    try {
      flow.paste(line)
    } catch (error) {
      process.stderr.write(`${messageOf(error)}\n`)
    }
  })
  try {
    return await flow.grant
  } finally {
    terminal.close()
    process.stdin.unref?.()
  }
}

function sentenceOf(error: OAuthError): string {
  switch (error.kind) {
    case 'refused':
      return `not signed in: ${error.message}; begin again`
    case 'misconfigured':
      return `the OAuth client is refused: ${error.message}; see oauth.clients and docs/providers.md`
    case 'unavailable':
      return `the provider cannot be reached: ${error.message}; try again later`
  }
}
