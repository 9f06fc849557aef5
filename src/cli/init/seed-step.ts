import { readFileSync } from 'node:fs'

import { providerNamed, seedOf } from '../../app/seed-trial.ts'
import type { Secret } from '../../base/secret.ts'
import { address } from '../../config/fields.ts'
import { OTHER_PROVIDER } from '../../mail/provider-table.ts'
import type { Provider } from '../../mail/provider.ts'
import { PROVIDERS } from '../../mail/providers.ts'
import { inspect, type Inspection } from '../../probe/imap-inspection.ts'
import { warningsOf } from '../../probe/seed-warnings.ts'
import { complaint } from './host-step.ts'
import { never, WELL, type Finding, type GivenSecret, type Interview } from './interview.ts'
import { askMailbox, imapRow, type Mailbox } from './mailbox-step.ts'

/** A row of `seeds` in probes.yaml, and what belongs to it. */
export interface SeedAnswers {
  readonly name: string
  readonly domain: string
  readonly row: Readonly<Record<string, unknown>>
  readonly secret: GivenSecret | undefined
  /** The OAuth 2 client of its provider: a person has to sign in before it can be read. */
  readonly client: { readonly provider: string; readonly id: string } | undefined
}

/** Asks for one account after the other. */
export async function askSeeds(interview: Interview): Promise<readonly SeedAnswers[]> {
  const { book } = interview
  const seeds: SeedAnswers[] = []
  const known = book.count('seeds')
  for (;;) {
    const at = seeds.length
    if (at > 0) {
      if (at >= known && !interview.isAttended) return seeds
      const more = at < known || (await another(interview))
      if (!more) return seeds
    }
    seeds.push(
      await askSeed(
        interview,
        `seeds.${at}`,
        seeds.map(({ name }) => name),
      ),
    )
  }
}

async function another(interview: Interview): Promise<boolean> {
  const word = await interview.word('\nAnother account? [no]: ')
  return /^y/i.test(word)
}

async function askSeed(
  interview: Interview,
  key: string,
  taken: readonly string[],
): Promise<SeedAnswers> {
  const names = PROVIDERS.map(({ name }) => name)
  const providerName = await interview.ask({
    key: `${key}.provider`,
    ask: 'Provider of an account to look at',
    why: `Canaries go to accounts that you have made for it and nobody uses: ${names.join(', ')}, which is any server with IMAP.`,
    unless: 'gmail',
    test: text => (names.includes(text) ? WELL : never(`known are ${names.join(', ')}`)),
  })
  const provider = providerNamed(providerName)
  const account = await interview.ask({
    key: `${key}.address`,
    ask: 'Its address',
    why: 'Canaries are sent to it, and looked for in its mailbox.',
    test: text => {
      const wrong = complaint(address(), text)
      return wrong === '' ? WELL : never(wrong)
    },
  })
  const name = interview.book.get(`${key}.name`) ?? nameFor(providerName, taken)
  const domain = account.slice(account.lastIndexOf('@') + 1)
  const row = { provider: providerName, address: account }
  if (provider.imap?.noPassword === true) {
    const id = await interview.ask({
      key: `${key}.client_id`,
      ask: 'OAuth 2 client id',
      why: `${providerName} takes no password over IMAP: register an application (docs/providers.md), and sign in when all is written.`,
    })
    return { name, domain, row, secret: undefined, client: { provider: providerName, id } }
  }
  const mailbox =
    providerName === OTHER_PROVIDER ? await askMailbox(interview, key, domain) : undefined
  const local = account.slice(0, account.lastIndexOf('@'))
  // Some servers of one's own want the whole address, and some what stands before the @.
  const usernames =
    mailbox === undefined
      ? [undefined]
      : mailbox.username === undefined
        ? [account, local]
        : [mailbox.username]
  const seen: { inspection?: Inspection; username?: string } = {}
  const trial = { name, address: account, mailbox, junk: interview.book.get(`${key}.junk_folder`) }
  const secret = await interview.secret({
    key: `${key}.password`,
    ask: 'Its password',
    why:
      provider.advice?.[0] ??
      'The mailbox is read over IMAP; nothing in it is touched but canaries.',
    file: `seed-${name}`,
    test: async value => {
      const findings: Finding[] = []
      for (const username of usernames) {
        const { inspection, finding } = await look(provider, { ...trial, secret: value, username })
        findings.push(finding)
        if (!finding.ok) continue
        seen.inspection = inspection
        if (username !== undefined) seen.username = username
        break
      }
      return findings.find(({ ok }) => ok) ?? findings[0] ?? WELL
    },
  })
  const junk = await askJunk(interview, key, seen.inspection)
  const { username } = seen
  return {
    name,
    domain,
    row: {
      ...row,
      ...(mailbox && { imap: imapRow(mailbox, username === account ? undefined : username) }),
      password_file: secret.path,
      ...(junk !== undefined && { junk_folder: junk }),
    },
    secret,
    client: undefined,
  }
}

/** Without a junk folder nothing would be known of spam. */
async function askJunk(
  interview: Interview,
  key: string,
  inspection: Inspection | undefined,
): Promise<string | undefined> {
  const known = interview.book.get(`${key}.junk_folder`)
  if (inspection === undefined) return known
  if (known === undefined && inspection.folders.some(({ takenFor }) => takenFor === 'spam')) {
    return undefined
  }
  const paths = inspection.folders.map(({ path }) => path)
  return interview.ask({
    key: `${key}.junk_folder`,
    ask: 'Folder for spam',
    why: `Neither a flag nor a usual name tells which folder is for spam: ${paths.join(', ')}.`,
    test: text =>
      paths.includes(text) ? WELL : { ok: false, text: `There is no folder ${text}.` },
  })
}

interface Look {
  readonly name: string
  readonly address: string
  readonly secret: Secret
  readonly mailbox: Mailbox | undefined
  readonly username: string | undefined
  readonly junk: string | undefined
}

/** Signs in as the prober will, and tells what each folder is taken for. */
async function look(
  provider: Provider,
  { mailbox, junk, ...account }: Look,
): Promise<{ readonly inspection: Inspection; readonly finding: Finding }> {
  const seed = seedOf(provider, {
    ...account,
    junk,
    host: mailbox?.host,
    port: mailbox?.port,
    servername: mailbox?.servername,
    ca: mailbox?.ca === undefined ? undefined : readFileSync(mailbox.ca, 'utf8'),
  })
  const inspection = await inspect(seed, {
    clock: Date.now,
    random: Math.random,
    signal: new AbortController().signal,
  })
  const warnings = warningsOf(seed, inspection, Date.now())
  if (inspection.fault !== '') {
    const text = [`It cannot be read: ${inspection.fault}`, ...warnings].join('\n')
    return { inspection, finding: { ok: false, text } }
  }
  const spam = inspection.folders.find(({ takenFor }) => takenFor === 'spam')
  const folders = `${inspection.folders.length} folders, ${spam === undefined ? 'none of them' : spam.path} is taken for spam.`
  return {
    inspection,
    finding: { ok: true, text: [`Signed in. ${folders}`, ...warnings].join('\n') },
  }
}

function nameFor(provider: string, taken: readonly string[]): string {
  const stem = provider === OTHER_PROVIDER ? 'own' : provider
  for (let n = 1; ; n += 1) if (!taken.includes(`${stem}-${n}`)) return `${stem}-${n}`
}
