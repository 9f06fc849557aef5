import { findProvider } from '../mail/provider-table.ts'
import type { Provider, ProviderImap, ReplyRule } from '../mail/provider.ts'
import { OTHER } from '../mail/providers.ts'
import type { ProbesConfig } from './probes-schema.ts'

type Row = ProbesConfig['providers'][string]

/**
 * The providers that are known, and what the file says of further ones. A row of the file with the name of a known one
 * adds to it, and wins.
 */
export function providerRows(
  rows: ProbesConfig['providers'],
  known: readonly Provider[],
): readonly Provider[] {
  const own = Object.entries(rows).map(([name, row]) =>
    merged(findProvider(name, known) ?? { ...OTHER, name }, row),
  )
  const replaced = new Set(own.map(({ name }) => name))
  return [...own, ...known.filter(({ name }) => !replaced.has(name))]
}

function merged(base: Provider, row: Row): Provider {
  const imap = imapOf(base.imap, row)
  return {
    ...base,
    mxSuffixes: [...base.mxSuffixes, ...row.mx_suffixes],
    junkNames: [...row.junk_names, ...base.junkNames],
    authHosts: [...row.auth_hosts, ...base.authHosts],
    replyRules: [...row.reply_rules.map(ruleOf), ...base.replyRules],
    verified: row.verified ?? base.verified,
    ...(imap && { imap }),
    ...(row.oauth && {
      oauth: {
        tokenUrl: row.oauth.token_url,
        scope: row.oauth.scope,
        ...(row.oauth.device_url !== undefined && { deviceUrl: row.oauth.device_url }),
        ...(row.oauth.authorize_url !== undefined && { authorizeUrl: row.oauth.authorize_url }),
      },
    }),
  }
}

function imapOf(base: ProviderImap | undefined, row: Row): ProviderImap | undefined {
  const host = row.imap_host ?? base?.host
  // Where each seed names its host, what else the row says still holds.
  if (host === undefined && row.auth === undefined && row.idle === undefined) return undefined
  const username = row.username ?? base?.username
  const connections = row.connections ?? base?.connections
  return {
    host: host ?? '',
    port: row.imap_port ?? base?.port ?? 993,
    auth: row.auth ?? base?.auth ?? 'password',
    idle: row.idle ?? base?.idle ?? true,
    ipv4Only: row.ipv4_only ?? base?.ipv4Only ?? false,
    // Whoever writes `auth: password` has a host that takes one.
    ...(base?.noPassword === true && row.auth !== 'password' && { noPassword: true }),
    ...(username && { username }),
    ...(connections !== undefined && { connections }),
  }
}

function ruleOf({ codes, enhanced, text, ...rule }: Row['reply_rules'][number]): ReplyRule {
  return { ...rule, ...(codes && { codes }), ...(enhanced && { enhanced }), ...(text && { text }) }
}
