import { chmod, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { Home, instructions, substitute, type Substitutes } from '../support/mail-clients.ts'
import { postfixNeedsRoot, startPostfix, type Postfix } from '../support/postfix.ts'
import {
  OTHER_ADDRESS,
  PASSWORD,
  startRelayAndKeeper,
  type RelayAndKeeper,
} from '../support/relay-and-keeper.ts'
import { eventually, findProgram, missing } from '../support/server-process.ts'
import { RELAY_NAME } from '../support/site.ts'

const BODY = 'Backup is done.\n\n.hidden\n.\n..\nFrom here on\n'

const skip = missing('postfix') ?? postfixNeedsRoot()

/** A mail server that sends all through the relay, set up as docs/clients.md says. */
interface Host {
  /** Hands a mail to its sendmail. */
  submit(sender: string, message: string): Promise<void>
  /** Why the mail in its queue was not sent, or undefined while nothing is there or was tried. */
  reason(): Promise<string | undefined>
  correctPassword(): Promise<void>
  stop(): Promise<void>
}

type StartHost = (home: Home, substitutes: Substitutes) => Promise<Host>

/** Writes the files of a section, with paths in the home folder. */
async function setUp(
  section: string,
  home: Home,
  substitutes: Substitutes,
): Promise<ReadonlyMap<string, string>> {
  const { files } = await instructions(section)
  const texts = new Map<string, string>()
  for (const [path, text] of files) {
    const own = substitute(text, substitutes).replaceAll(
      /\/etc\/(?:postfix|exim4)\/relay_/g,
      match => home.path(match),
    )
    texts.set(path, own)
    await home.write(path, own)
  }
  return texts
}

const postfixHost: StartHost = async (home, substitutes) => {
  const section = 'A host that relays: Postfix'
  const files = await setUp(section, home, substitutes)
  const lines = files.get('/etc/postfix/main.cf')?.split('\n') ?? []
  const settings = lines.flatMap(line => {
    const [, key, value] = /^(\w+) = (.*)$/.exec(line) ?? []
    return key === undefined || value === undefined ? [] : [[key, value] as const]
  })
  const server: Postfix = await startPostfix(home.folder, {
    hostname: 'host1.example.org',
    domains: [],
    settings: { ...Object.fromEntries(settings), default_transport: 'smtp' },
  })
  return {
    submit: (sender, message) => server.sendmail(['-i', '-f', sender, 'bob@example.net'], message),
    reason: async () => /"delay_reason": "([^"]*)"/.exec(await server.queue())?.[1],
    async correctPassword() {
      await setUp(section, home, { ...substitutes, password: PASSWORD })
      await server.retry()
    },
    stop: () => server.stop(),
  }
}

const eximHost: StartHost = async (home, substitutes) => {
  const files = await setUp('A host that relays: Exim', home, substitutes)
  // Where its files are here, and that the relay may be on this very host.
  const configuration = `exim_path = ${findProgram('exim4')}
spool_directory = ${home.path('spool')}
log_file_path = ${home.path('spool')}/log-%slog
${files.get('/etc/exim4/exim4.conf')}`.replace('driver = manualroute', '$&\n  self = send')
  const path = home.path('exim4.conf')
  await writeFile(path, configuration, { mode: 0o644 })
  await home.run('install -d -o Debian-exim -g Debian-exim -m 750 spool')
  const password = async (text: string): Promise<void> => {
    await home.write('/etc/exim4/relay_password', `${text}\n`)
    await home.run(
      'chgrp Debian-exim etc/exim4/relay_password && chmod 640 etc/exim4/relay_password',
    )
  }
  await password(substitutes.password)
  const exim = async (args: string): Promise<void> => {
    const { code, output } = await home.run(`exim4 -C '${path}' ${args}`)
    // Of its own processes without root, which keep no right that this configuration could misuse.
    const said = output.replaceAll(/.*exim user lost privilege for using -C option\n/g, '')
    expect([code, said]).toEqual([0, ''])
  }
  return {
    async submit(sender, message) {
      await home.write('~/message', message)
      await exim(`-odi -i -f ${sender} bob@example.net < message`)
    },
    async reason() {
      const log = await readFile(home.path('spool/log-mainlog'), 'utf8')
      return log.includes(' == bob@example.net ') ? log : undefined
    },
    async correctPassword() {
      await password(PASSWORD)
      await exim('-qff')
    },
    stop: () => Promise.resolve(),
  }
}

const HOSTS = [
  { name: 'Postfix', start: postfixHost, without: undefined },
  { name: 'Exim', start: eximHost, without: missing('exim4') },
]

describe.skipIf(skip)('hosts that send all their mail through the relay', () => {
  let relay: RelayAndKeeper

  beforeAll(async () => {
    relay = await startRelayAndKeeper(['host1'])
  })

  afterAll(() => relay.stop())

  for (const { name, start, without } of HOSTS) {
    describe.skipIf(without)(name, () => {
      let host: Host

      async function hostWith(change: Partial<Substitutes>): Promise<Host> {
        const folder = await mkdtemp(join(relay.folder, name))
        // Both drop root.
        await chmod(folder, 0o755)
        return start(new Home(folder), {
          port: relay.site.ports.submissions,
          password: PASSWORD,
          ca: relay.site.certificates.ca,
          ...change,
        })
      }

      beforeAll(async () => {
        host = await hostWith({})
      })

      afterAll(() => host.stop())

      const message = (subject: string, from: string): string =>
        `From: ${from}\nTo: bob@example.net\nSubject: ${subject}\n\n${BODY}`

      const bySubject = (subject: string): Promise<string> =>
        relay.arrived(new RegExp(`^Subject: ${subject}$`, 'm'))

      test('sends with the documented settings what its root writes, as the login’s address', async () => {
        const subject = `by ${name}`
        await host.submit(
          'root@host1.example.org',
          message(subject, 'root <root@host1.example.org>'),
        )
        const text = await bySubject(subject)
        expect(text).toContain('Return-Path: <host1@example.org>\n')
        expect(text).toContain('From: root <host1@example.org>\n')
        expect(text.slice(text.indexOf('\n\n') + 2)).toBe(BODY)
        const received = text.match(/^Received:.*(?:\n[ \t].*)*/gm) ?? []
        const ours = received.filter(field => field.includes(`by ${RELAY_NAME} `))
        expect(ours).toEqual([
          expect.stringMatching(
            /^Received: from localhost \(client withheld\).* with ESMTPSA id /s,
          ),
        ])
      })

      test('brings the 550 back to a sender that is not the login’s', async () => {
        const sender = `alice+${name.toLowerCase()}@example.org`
        await host.submit(sender, message(`stranger by ${name}`, sender))
        const report = await relay.arrived(
          new RegExp(`^Delivered-To: ${sender.replace('+', '\\+')}$`, 'm'),
        )
        expect(report).toContain('Return-Path: <>\n')
        expect(report.replaceAll(/\s+/g, ' ')).toContain(
          `550 5.7.1 Sender ${sender} is not yours. You may send as host1@example.org`,
        )
      })

      test('keeps mail while its password is wrong, and sends it with the right one', async () => {
        const wrong = await hostWith({ password: 'not-the-one' })
        try {
          const subject = `late by ${name}`
          const before = await relay.accepted()
          await wrong.submit('root@host1.example.org', message(subject, 'root@host1.example.org'))
          expect(await eventually(wrong.reason, 'an attempt')).toMatch(/535[ -]5\.7\.8/)
          expect(await relay.accepted()).toBe(before)
          await wrong.correctPassword()
          await bySubject(subject)
        } finally {
          await wrong.stop()
        }
      })

      test.each([
        ['that nobody vouches for', { ca: undefined }],
        ['with another name', { host: OTHER_ADDRESS }],
      ])('keeps mail and password from a server %s', async (_, change) => {
        const wary = await hostWith(change)
        try {
          const before = await relay.logins()
          await wary.submit(
            'root@host1.example.org',
            message(`untrusted by ${name}`, 'root@host1.example.org'),
          )
          expect(await eventually(wary.reason, 'an attempt')).toMatch(/certificate/i)
          expect(await relay.logins()).toBe(before)
        } finally {
          await wary.stop()
        }
      })
    })
  }
})
