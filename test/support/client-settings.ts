import type { ClientSettings } from '../../src/mail/client-settings.ts'

/** An organisation that keeps mailboxes too; `incoming: []` is one that does not. */
export function clientSettingsOf(changes: Partial<ClientSettings> = {}): ClientSettings {
  return {
    hostname: 'relay.example.org',
    domains: ['example.org', 'lists.example.org'],
    organisation: 'Example & Sons',
    submissions: 465,
    submission: 587,
    incoming: [
      {
        type: 'imap',
        host: 'imap.example.org',
        port: 993,
        tls: 'implicit',
        username: 'address',
      },
    ],
    ssh: true,
    account: false,
    ...changes,
  }
}
