import type { Check, Finding } from './check.ts'
import type { Measurement } from './measurement.ts'
import type { OutboundRequirement } from './outbound.ts'
import { NOT_OFFERED, type Standard } from './standards.ts'

/** What the document is made of. */
export interface Sources {
  readonly checks: readonly Check[]
  /** What our server may leave open, and why: by the id of the check. */
  readonly excused: ReadonlyMap<string, string>
  readonly peer: Measurement
  readonly outbound: readonly OutboundRequirement[]
  readonly standards: readonly Standard[]
}

const SECTIONS: readonly (readonly [letter: string, title: string])[] = [
  ['C', 'Connection and session'],
  ['T', 'TLS'],
  ['A', 'Login'],
  ['E', 'Envelope'],
  ['D', 'Data'],
  ['P', 'Pipelining'],
]

/** The text of docs/standards.md. */
export function standardsPage(sources: Sources): string {
  const { peer } = sources
  const name = `${peer.server} ${peer.version}`
  const notes = new Notes()
  const tables = SECTIONS.flatMap(([letter, title]) => [
    `### ${title}`,
    '',
    ...table(
      ['id', 'requirement', 'source', 'level', 'mailcanary', name],
      sources.checks
        .filter(({ id }) => id.startsWith(letter))
        .toSorted((a, b) => (a.id < b.id ? -1 : 1))
        .map(check => [
          check.id,
          // The angle brackets of addresses would be taken for tags.
          check.statement.replaceAll('<', '&lt;'),
          check.source,
          check.level,
          notes.mark(ours(check, sources.excused), check),
          notes.mark(peer.findings[check.id], check),
        ]),
    ),
    '',
  ])
  return [
    '# Standards',
    '',
    'What is demanded of a submission server and of a client of other servers, and what mailcanary does. This page is made from the tests: the tables',
    'of the server by `npm test`, which puts every question to the relay and to a real Postfix, and fails where an answer has changed;',
    '`MAILCANARY_UPDATE_GOLDEN=1 npm test -- test/conformance` writes it anew (twice, where Postfix has changed). To ask any other server:',
    '',
    '```sh',
    'MAILCANARY_PASSWORD=… test/conformance/run HOST PORT USER',
    '```',
    '',
    '**Level:** M must, MN must not, S should, SN should not, y may; p is a policy of ours, which no standard demands.',
    '**Marks:** ✓ as demanded · may: the standard permits it and recommends otherwise · **no** · differs: another policy than ours · – not asked, for the',
    'reason in the note.',
    '',
    '## As a server',
    '',
    `mailcanary is asked over implicit TLS, over STARTTLS, and over STARTTLS with everything cut into random segments. ${name} (Debian 12) is set up as`,
    'in `test/support/postfix-submission.ts`: the two submission services of Debian’s master.cf, Dovecot for passwords, `smtpd_sender_login_maps`, a size limit',
    'that can be reached, no pauses after errors, and defaults otherwise. Several of its rows are a matter of settings, and were seen to change with them:',
    '`smtpd_forbid_bare_newline` (D01), `smtpd_discard_ehlo_keywords` with `smtpd_etrn_restrictions` (C17), `smtpd_tls_mandatory_protocols` (T06),',
    '`smtpd_delay_reject` (A13), `reject_non_fqdn_recipient` (E14), `strict_smtputf8` (E16). It is here so that the questions can be judged: a judge that',
    'finds everything at Postfix, or nothing, is wrong.',
    '',
    ...tables,
    ...notes.lines(),
    '## As a client, and in reports',
    '',
    'Each requirement with the tests that hold it; the titles are checked to exist.',
    '',
    ...table(
      ['id', 'requirement', 'source', 'level', 'tests'],
      sources.outbound.map(row => [
        row.id,
        row.statement,
        row.source,
        row.level,
        [
          ...row.tests.map(([file, title]) => `\`${file.replace('test/', '')}\`: ${title}`),
          ...(row.remark === undefined ? [] : [`(${row.remark})`]),
        ].join('<br>'),
      ]),
    ),
    '',
    '## Not offered',
    '',
    'What is not offered is refused (C18 checks that nothing works unlisted).',
    '',
    ...table(
      ['extension', 'RFC', 'why not'],
      NOT_OFFERED.map(([extension, rfc, reason]) => [extension, rfc, reason]),
    ),
    '',
    '## Standards and where they are',
    '',
    ...table(
      ['RFC', 'title', 'implemented', 'where'],
      sources.standards
        .toSorted((a, b) => a.rfc - b.rfc)
        .map(({ rfc, title, extent, files, remark }) => [
          String(rfc),
          title,
          remark === undefined ? extent : `${extent}: ${remark}`,
          files.map(file => `\`${file.replace('src/', '')}\``).join(', '),
        ]),
    ),
    '',
  ].join('\n')
}

function ours({ id }: Check, excused: Sources['excused']): Finding {
  const reason = excused.get(id)
  if (reason === undefined) return { outcome: 'conformant', detail: '' }
  return { outcome: 'inconclusive', detail: reason }
}

/** Marks in cells, each with a number where there is something to say. */
class Notes {
  readonly #notes: string[] = []

  mark(finding: Finding | undefined, check: Check): string {
    switch (finding?.outcome) {
      case 'conformant':
        return '✓'
      case 'latitude':
        return `may${this.#note(check, finding)}`
      case 'non-conformant':
        return `${check.level === 'p' ? 'differs' : '**no**'}${this.#note(check, finding)}`
      case 'inconclusive':
        return `–${this.#note(check, finding)}`
      case undefined:
        return '–'
    }
  }

  #note({ id }: Check, { detail }: Finding): string {
    this.#notes.push(
      `${id}: ${detail.replaceAll('<', '&lt;').replaceAll(/[|`*_[\]]/g, String.raw`\$&`)}`,
    )
    return ` <sup>${this.#notes.length}</sup>`
  }

  lines(): string[] {
    return [...this.#notes.map((note, n) => `${n + 1}. ${note}`), '']
  }
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map(cell => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)]
}
