import type { Secret } from '../base/secret.ts'
import type { Provider } from '../mail/provider.ts'
import type { ProbesConfig } from './probes-schema.ts'
import type { ProblemList } from './problem-list.ts'
import { readSecret } from './secrets.ts'

type SeedConfig = ProbesConfig['seeds'][string]

/** What OAuth 2 needs beside the tokens. */
export interface LoadedOAuth {
  /** Encrypts the tokens; undefined leaves them to the permissions of their files. */
  readonly tokenKey: Secret | undefined
  /** Secrets of the clients that have one, by provider. */
  readonly clientSecrets: ReadonlyMap<string, Secret>
}

// A key is generated: nothing slows down whoever guesses a short one.
const LEAST_KEY = 32

/** How a seed signs in: what it says itself, else what its provider takes. */
export function signInOf(seed: SeedConfig, provider: Provider | undefined): 'password' | 'oauth2' {
  return seed.sign_in ?? provider?.imap?.auth ?? 'password'
}

/** Reads the clients' secrets and the key of the tokens. */
export function readOAuth(
  problems: ProblemList,
  { oauth }: ProbesConfig,
  providers: readonly Provider[],
): LoadedOAuth {
  const tokenKey = readSecret(problems, ['oauth'], oauth, 'token_key')
  if (tokenKey !== undefined && tokenKey.reveal().length < LEAST_KEY) {
    problems.add(
      ['oauth', oauth.token_key_file === undefined ? 'token_key_env' : 'token_key_file'],
      `should hold a key of ${LEAST_KEY} characters or more: make one with openssl rand -base64 32`,
    )
  }
  const clientSecrets = new Map<string, Secret>()
  for (const [name, client] of Object.entries(oauth.clients)) {
    const at = ['oauth', 'clients', name]
    if (!providers.some(provider => provider.name === name)) {
      problems.add(at, 'no provider has this name: a client belongs to one', 'key')
    }
    const secret = readSecret(problems, at, client, 'client_secret')
    if (secret !== undefined) clientSecrets.set(name, secret)
  }
  return { tokenKey, clientSecrets }
}

/** The password of a seed that signs in with one. What is missing is listed. */
export function readSeedPassword(
  problems: ProblemList,
  config: ProbesConfig,
  name: string,
  provider: Provider | undefined,
): Secret | undefined {
  const seed = config.seeds[name]
  if (seed === undefined) return undefined
  const at = ['seeds', name]
  const named = seed.password_file !== undefined || seed.password_env !== undefined
  if (signInOf(seed, provider) === 'password') {
    if (provider?.imap?.noPassword === true) {
      problems.add(
        [...at, ...(seed.sign_in === undefined ? [] : ['sign_in'])],
        `${provider.name} takes no password over IMAP, app passwords included: leave sign_in out, and use mailcanary seed login ${name}`,
      )
      return undefined
    }
    if (!named) problems.add(at, 'needs password_file or password_env')
    return readSecret(problems, at, seed, 'password')
  }
  if (named) {
    problems.add(
      [...at, seed.password_file === undefined ? 'password_env' : 'password_file'],
      `${seed.provider} is signed in to with OAuth 2: take this away, and use mailcanary seed login ${name}`,
      'key',
    )
  }
  if (provider !== undefined && provider.oauth === undefined) {
    problems.add(
      [...at, 'sign_in'],
      `${seed.provider} has no OAuth 2: use a password, or say providers.${seed.provider}.oauth`,
    )
  } else if (!Object.hasOwn(config.oauth.clients, seed.provider)) {
    problems.add(
      at,
      `signs in with OAuth 2: needs oauth.clients.${seed.provider}.client_id (docs/providers.md says how to get one)`,
    )
  }
  return undefined
}
