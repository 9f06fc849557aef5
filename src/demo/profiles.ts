import type { Provider } from '../mail/provider.ts'
import { gmailHeader, hotmailHeader, plainHeader, yahooHeader } from './delivery-header.ts'
import { GMAIL_DIALECT, HOTMAIL_DIALECT, PLAIN_DIALECT, YAHOO_DIALECT } from './dialect.ts'
import { GMAIL, HOTMAIL, PLAIN, YAHOO } from './imap/quirks.ts'
import type { ProviderProfile } from './provider.ts'

/** The simulated providers, in the order of their ports. */
export const PROFILES: readonly ProviderProfile[] = [
  {
    name: 'gmail',
    domains: ['gmail.example'],
    mxHost: 'mx1.gmail.example',
    imapHost: 'imap.gmail.example',
    seed: 'seed',
    catchAll: false,
    dialect: GMAIL_DIALECT,
    header: gmailHeader,
    quirks: GMAIL,
    otherFolder: 'Listen',
    latency: [200, 700],
  },
  {
    name: 'hotmail',
    domains: ['hotmail.example'],
    mxHost: 'mx1.hotmail.example',
    imapHost: 'imap.hotmail.example',
    seed: 'seed',
    catchAll: false,
    dialect: HOTMAIL_DIALECT,
    header: hotmailHeader,
    quirks: HOTMAIL,
    otherFolder: 'Archive',
    latency: [600, 2_000],
  },
  {
    name: 'yahoo',
    domains: ['yahoo.example'],
    mxHost: 'mx1.yahoo.example',
    imapHost: 'imap.yahoo.example',
    seed: 'seed',
    catchAll: false,
    dialect: YAHOO_DIALECT,
    header: yahooHeader,
    quirks: YAHOO,
    otherFolder: 'Newsletters',
    latency: [300, 1_200],
  },
  {
    // Takes mail for anybody, so that a person who tries the relay can send somewhere and read what arrived.
    name: 'other',
    domains: ['example.net', 'example.org'],
    mxHost: 'mx1.example.net',
    imapHost: 'imap.example.net',
    seed: 'seed',
    catchAll: true,
    dialect: PLAIN_DIALECT,
    header: plainHeader,
    quirks: PLAIN,
    otherFolder: 'Lists',
    latency: [200, 400],
  },
]

/**
 * The provider table with the demo's hosts: the rows of the real providers also recognise the simulated ones, by
 * the suffix of the MX host and by the host that writes Authentication-Results.
 */
export function demoProviders(base: readonly Provider[]): readonly Provider[] {
  return base.map(row => {
    const profile = PROFILES.find(candidate => candidate.name === row.name)
    // `other` is who matches no suffix.
    if (!profile || row.name === 'other') return row
    const authHost = profile.dialect.authHost
    return {
      ...row,
      ...(row.imap && {
        // Whatever a configuration leaves out, nothing of the demo goes to the real provider.
        imap: { ...row.imap, host: profile.imapHost, auth: 'password' as const },
      }),
      mxSuffixes: [...row.mxSuffixes, `.${profile.domains[0]}`],
      authHosts: authHost === '' ? row.authHosts : [...row.authHosts, authHost],
    }
  })
}
