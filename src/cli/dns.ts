import type { Command } from 'commander'

import { clientSettings } from '../app/client-settings.ts'
import { publicPort } from '../app/self-check-settings.ts'
import { Problem } from '../base/problem.ts'
import type { LoadedRelay } from '../config/load-relay.ts'
import { wantedRecords, type WantedRecord } from '../observe/checks/own-records.ts'
import { reversed } from '../observe/checks/reverse-zone.ts'
import type { CommandContext } from './context.ts'
import { addFileOptions, loadFiles, type FileOptions } from './files.ts'
import { print, printJson } from './print.ts'
import { table } from './table.ts'

interface DnsOptions extends FileOptions {
  readonly neutralSpf?: boolean
  readonly json?: boolean
}

/** `mailcanary dns`: the records to publish, as lines of a zone. */
export function addDns(program: Command, _context: CommandContext): void {
  addFileOptions(program.command('dns'))
    .description('Print the DNS records by which mail programs find the relay, as lines of a zone.')
    .option(
      '--neutral-spf',
      'also an SPF record that says nothing of anybody: it authenticates nothing',
    )
    .option('--json', 'one document on one line')
    .addHelpText(
      'after',
      `
It asks nobody and changes nothing. Whether they are published says: mailcanary check --live

Exit code: 0, or 1 if the configuration is wrong (each problem is printed).

Example:
  mailcanary dns --relay relay.yaml >> db.example.org`,
    )
    .action(async (options: DnsOptions) => {
      const { relay } = await loadFiles(options)
      if (relay === undefined)
        throw new Problem('these are records of a relay: name its file with --relay')
      const records = recordsOf(relay, options.neutralSpf === true)
      if (options.json === true) printJson({ records })
      else print(zoneLines(records, relay))
    })
}

/** Every record that is worth publishing for what the configuration says. */
export function recordsOf(relay: LoadedRelay, neutralSpf: boolean): readonly WantedRecord[] {
  const settings = clientSettings(relay)
  const { hostname, domains } = settings
  return [
    ...domains.flatMap(domain => wantedRecords(domain, settings, publicPort(relay))),
    ...relay.config.checks.addresses.map(address => ({
      name: `${reversed(address)}.${address.includes(':') ? 'ip6' : 'in-addr'}.arpa`,
      type: 'PTR' as const,
      data: `${hostname}.`,
      purpose: 'Gmail and others refuse mail from an address without',
    })),
    ...(neutralSpf
      ? domains.map(domain => ({
          name: domain,
          type: 'TXT' as const,
          data: '"v=spf1 ?all"',
          purpose:
            'neutral: it authenticates nothing, and Gmail demands SPF or DKIM of every sender',
        }))
      : []),
  ]
}

function zoneLines(records: readonly WantedRecord[], relay: LoadedRelay): readonly string[] {
  const { hostname } = relay.config
  const names = records.filter(({ type }) => type === 'CNAME').map(({ name }) => name)
  const addresses = relay.config.checks.addresses.map(
    address => `ip${address.includes(':') ? '6' : '4'}:${address}`,
  )
  return [
    `; Records of ${hostname}. RFC 6186, RFC 8314: where programs hand in and read mail.`,
    ...table(
      records.map(({ name, type, data, purpose }) => [
        `${name}.`,
        'IN',
        type,
        data,
        `; ${purpose}`,
      ]),
    ),
    ...(names.length === 0
      ? []
      : [`; The certificate of ${hostname} needs these names too: ${names.join(', ')}`]),
    ...(addresses.length === 0
      ? []
      : [
          `; To have SPF cover this server, the record of each domain needs: ${addresses.join(' ')}`,
        ]),
  ]
}
