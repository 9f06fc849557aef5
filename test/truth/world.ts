import { randomBytes } from 'node:crypto'

import type { Authority } from '../../src/base/certificate.ts'
import { newId } from '../../src/base/id.ts'
import { Secret } from '../../src/base/secret.ts'
import { Account } from '../../src/demo/imap/account.ts'
import { PLAIN, type Fault, type Quirks } from '../../src/demo/imap/quirks.ts'
import { ImapServer } from '../../src/demo/imap/server.ts'
import { demoProviders, PROFILES } from '../../src/demo/profiles.ts'
import type { ProviderProfile } from '../../src/demo/provider.ts'
import { dataStep, SmtpListener, SmtpRefusal } from '../../src/demo/smtp-listener.ts'
import { buildReport } from '../../src/mail/dsn.ts'
import { parseHeader, splitMessage } from '../../src/mail/headers.ts'
import { OTHER, PROVIDERS } from '../../src/mail/providers.ts'
import { parseReply } from '../../src/mail/reply.ts'
import type { BounceMailbox } from '../../src/probe/bounce-watcher.ts'
import type { Placement } from '../../src/probe/model.ts'
import type { ImapAccount, Seed } from '../../src/probe/seed.ts'
import { mintedAt, mintToken, verifiedIn, verifyToken } from '../../src/probe/token.ts'
import type { Blind, Times } from './fates.ts'
import { type Entry, WORDS } from './ledger.ts'

const PASSWORD = 'canary-demo'
const RETRY = { least: 100, most: 1_000 }
const POLL = 500
/** By how much the clocks of some providers are wrong, milliseconds: more than can be, and less. */
const CLOCKS = { ahead: 90 * 60_000, behind: -26 * 3_600_000, slow: -45_000 }

/** A seed with what only the world knows of it. */
interface Place {
  readonly seed: Seed
  readonly profile: ProviderProfile
  readonly account: Account
  readonly server: ImapServer
  readonly blind: Blind | undefined
  /** How wrong the clock of the server is. */
  readonly offset: number
}

/** The providers of a run: one mail exchanger in front of all of them, which knows what is to become of each canary. */
export class World {
  readonly places = new Map<string, Place>()
  readonly bounces: BounceMailbox
  readonly #ledger: ReadonlyMap<string, Entry>
  readonly #key: Uint8Array
  readonly #times: Times
  readonly #exchanger: SmtpListener
  readonly #servers = new Map<string, ImapServer>()
  readonly #returned = new Account('canary@example.org', PASSWORD, PLAIN.folders)
  readonly #timers = new Set<NodeJS.Timeout>()

  private constructor(
    options: WorldOptions & { readonly exchanger: SmtpListener; readonly bounces: ImapServer },
  ) {
    this.#ledger = options.ledger
    this.#key = options.key
    this.#times = options.times
    this.#exchanger = options.exchanger
    this.#servers.set('bounces', options.bounces)
    this.bounces = {
      name: 'returned',
      imap: accountOf(options.bounces, this.#returned, options.authority),
      pollEvery: POLL,
      retryAfter: RETRY,
    }
  }

  /** @param each how many seeds each provider has */
  static async start(options: WorldOptions, each: number): Promise<World> {
    let world: World | undefined
    const certificate = await options.authority.issue(['localhost', '127.0.0.1'])
    const exchanger = new SmtpListener(
      { host: '127.0.0.1', port: 0 },
      {
        name: 'mx.example.net',
        authOptional: true,
        disabledCommands: ['AUTH', 'STARTTLS'],
        onData: (stream, session, callback) =>
          void dataStep(stream, callback, raw => {
            const { mailFrom, rcptTo } = session.envelope
            const reversePath = mailFrom === false ? '' : mailFrom.address
            for (const { address } of rcptTo) world?.take(raw, reversePath, address)
            return `2.0.0 Ok: queued as ${randomBytes(6).toString('hex')}`
          }),
      },
    )
    const imap = async (quirks: Quirks, accounts: readonly Account[]): Promise<ImapServer> => {
      const server = new ImapServer({
        host: '127.0.0.1',
        port: 0,
        certificate,
        quirks,
        accounts,
        clock: Date.now,
      })
      await server.start()
      return server
    }
    await exchanger.start()
    const returned: Account[] = []
    world = new World({ ...options, exchanger, bounces: await imap(PLAIN, returned) })
    returned.push(world.#returned)
    for (const profile of PROFILES) {
      const names = Array.from({ length: each }, (_, i) => `${profile.name}-${i + 1}`)
      await world.#open(options.authority, profile, names, imap)
    }
    const plain = PROFILES.at(-1) as ProviderProfile
    const { folders } = PLAIN
    const withoutJunk = { ...PLAIN, folders: folders.filter(({ name }) => name !== 'Junk') }
    for (const [name, offset] of Object.entries(CLOCKS)) {
      await world.#open(options.authority, plain, [`clock-${name}`], imap, { offset })
    }
    await world.#open(options.authority, plain, ['unreadable'], imap, { blind: 'unreadable' })
    await world.#open(options.authority, plain, ['sign-in'], imap, { blind: 'sign-in' })
    await world.#open(options.authority, { ...plain, quirks: withoutJunk }, ['no-junk'], imap, {
      blind: 'no-junk-folder',
    })
    return world
  }

  get port(): number {
    return this.#exchanger.port
  }

  /** Makes every seed of a provider unreadable, or ends that. */
  suffer(provider: string, fault: Fault): void {
    this.#servers.get(`${provider}-1`)?.suffer(fault)
  }

  /** Takes a message, or says why not: the mail exchanger of everybody. */
  take(raw: Buffer, reversePath: string, recipient: string): void {
    if (recipient.endsWith('@example.org')) {
      const to = Buffer.from(`Return-Path: <>\r\nDelivered-To: ${recipient}\r\n`)
      this.#returned.get('INBOX')?.append({
        raw: Buffer.concat([to, raw]),
        internalDate: Date.now(),
      })
      const about = verifyToken(/\+([^@]+)@/.exec(recipient)?.[1] ?? '', this.#key) ?? ''
      const returned = this.#ledger.get(about)
      if (returned && returned.fate !== 'delayed') returned.returnedAt ??= Date.now()
      return
    }
    const id = verifiedIn(parseHeader(splitMessage(raw).header), ['x-reference'], this.#key) ?? ''
    const entry = this.#ledger.get(id)
    const place = this.places.get(recipient.split('@')[0] ?? '')
    if (entry === undefined || place === undefined) {
      throw new SmtpRefusal({ code: 451, text: '4.3.0 The test knows no such canary' })
    }
    const say = (code: number, text: string): never => {
      entry.told++
      throw new SmtpRefusal({ code, text })
    }
    switch (entry.fate) {
      case 'refused':
        return say(550, WORDS.refused)
      case 'deferred':
        return say(451, WORDS.deferred)
      case 'greylisted':
        if (entry.told === 0) say(450, WORDS.greylisted)
        break
      case 'full':
        return say(552, WORDS.full)
      case 'full-for-now':
        return say(452, WORDS.fullForNow)
      case 'locked':
        return say(550, WORDS.locked)
      case 'returned':
        this.#return(id, 'failed', WORDS.returned, reversePath, recipient)
        break
      case 'delayed':
        this.#return(id, 'delayed', '451 4.4.1 No answer from host', reversePath, recipient)
        break
      default:
        break
    }
    entry.taken = true
    const marked =
      entry.fate === 'tab' ? Buffer.concat([Buffer.from('List-Unsubscribe: <>\r\n'), raw]) : raw
    const file = (placement: Placement): void => {
      this.#file(place, entry, placement, marked, { reversePath, recipient })
    }
    this.#carryOut(entry, id, file, place)
  }

  /** Moves what lies in the folder for spam into the inbox, as a person does. */
  rescue(seedName: string, id: string): void {
    const place = this.places.get(seedName)
    const junk = place?.account.withAttribute(String.raw`\Junk`)
    const found = junk?.messages.find(({ raw }) => raw.includes(id))
    if (!place || !junk || !found) return
    junk.remove(new Set([found.uid]))
    place.account.get('INBOX')?.append({ raw: found.raw, internalDate: found.internalDate })
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    await this.#exchanger.stop()
    await Promise.all([...new Set(this.#servers.values())].map(server => server.stop()))
  }

  #carryOut(entry: Entry, id: string, file: (placement: Placement) => void, place: Place): void {
    switch (entry.fate) {
      case 'inbox':
      case 'tab':
      case 'greylisted':
      case 'delayed':
        return file('inbox')
      case 'spam':
      case 'moved':
        return file('spam')
      case 'other':
        return file('other')
      case 'twice':
        file('spam')
        return file('inbox')
      case 'late': {
        // By the deadline that the prober has set: from the moment in which the canary was made.
        const wait = mintedAt(id) + this.#times.deadline + this.#times.lateBy - Date.now()
        const timer = setTimeout(() => file('inbox'), Math.max(0, wait))
        this.#timers.add(timer)
        return
      }
      case 'forged': {
        const token = mintToken(id, Buffer.from('a key of somebody else'))
        const raw = Buffer.from(`Subject: (ref. ${token})\r\nMessage-ID: <${token}@a>\r\n\r\nx\r\n`)
        place.account.get('INBOX')?.append({ raw, internalDate: Date.now() })
        return
      }
      default:
        return
    }
  }

  #file(
    { profile, account, offset }: Place,
    entry: Entry,
    placement: Placement,
    raw: Buffer,
    envelope: { readonly reversePath: string; readonly recipient: string },
  ): void {
    const folder =
      placement === 'spam'
        ? (account.withAttribute(String.raw`\Junk`) ?? account.create('Elsewhere'))
        : account.get(placement === 'other' ? profile.otherFolder : 'INBOX')
    const at = Date.now()
    const client = {
      name: 'relay.example.org',
      address: '192.0.2.10',
      tls: 'TLSv1.3',
      permitted: true,
    }
    const header = profile.header({
      ...envelope,
      client,
      raw,
      host: profile.mxHost,
      id: randomBytes(6).toString('hex'),
      receivedAt: at + offset,
      spam: placement === 'spam',
    })
    const message = Buffer.concat([Buffer.from(header, 'latin1'), raw])
    const tab = entry.fate === 'tab' ? 'promotions' : 'primary'
    const stored = folder?.append({ raw: message, internalDate: at + offset, tab })
    // INTERNALDATE has whole seconds (RFC 9051 section 2.3.3): what came in the second of the deadline came in time.
    entry.filed.push({ at: Math.floor(at / 1_000) * 1_000, placement })
    if (profile.quirks.allMail === '' || placement === 'spam' || stored === undefined) return
    const labels = [placement === 'inbox' ? String.raw`\Inbox` : profile.otherFolder]
    account.get(profile.quirks.allMail)?.append({
      raw: message,
      internalDate: at + offset,
      tab,
      gmailId: stored.gmailId,
      labels,
    })
  }

  /** A report of another host comes back to the reverse path of the canary. */
  #return(
    id: string,
    kind: 'failed' | 'delayed',
    line: string,
    reversePath: string,
    recipient: string,
  ): void {
    const reply = parseReply(line)
    if (reply === undefined) throw new Error('no reply')
    const at = Date.now()
    const report = buildReport({
      kind,
      id: newId(Date.now),
      hostname: 'mx.example.net',
      at,
      to: reversePath,
      recipients: [{ address: recipient, reply, host: 'inner.example.net', class: 'policy' }],
      arrivedAt: at,
      originalId: id,
      smtputf8: false,
      originalHeader: Buffer.from('Subject: what was sent\r\n'),
      ...(kind === 'delayed' && { retryUntil: at + 60_000 }),
    })
    this.take(report, '', reversePath)
  }

  async #open(
    authority: Authority,
    profile: ProviderProfile,
    names: readonly string[],
    imap: (quirks: Quirks, accounts: readonly Account[]) => Promise<ImapServer>,
    { blind, offset = 0 }: { readonly blind?: Blind; readonly offset?: number } = {},
  ): Promise<void> {
    const provider = demoProviders(PROVIDERS).find(({ name }) => name === profile.name) ?? OTHER
    const accounts = names.map(
      name =>
        new Account(
          `${name}@${profile.domains[0]}`,
          blind === 'sign-in' ? 'changed since' : PASSWORD,
          profile.quirks.folders,
        ),
    )
    const server = await imap(profile.quirks, accounts)
    if (blind === 'unreadable') server.suffer('unreadable')
    for (const [i, name] of names.entries()) {
      const account = accounts[i] as Account
      const seed: Seed = {
        name,
        provider,
        address: account.username,
        imap: accountOf(server, account, authority),
        pollEvery: POLL,
        othersEvery: 2 * POLL,
        retryAfter: RETRY,
      }
      this.places.set(name, { seed, profile, account, server, blind, offset })
      this.#servers.set(name, server)
    }
  }
}

export interface WorldOptions {
  readonly authority: Authority
  readonly key: Uint8Array
  readonly times: Times
  readonly ledger: ReadonlyMap<string, Entry>
}

function accountOf(server: ImapServer, account: Account, authority: Authority): ImapAccount {
  return {
    host: '127.0.0.1',
    port: server.port,
    ca: authority.certificate,
    servername: 'localhost',
    username: account.username,
    credential: () => Promise.resolve({ kind: 'password', password: new Secret(PASSWORD) }),
  }
}
