import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import {
  Home,
  instructions,
  substitute,
  type Finished,
  type Substitutes,
} from '../support/mail-clients.ts'
import { postfixNeedsRoot } from '../support/postfix.ts'
import {
  OTHER_ADDRESS,
  PASSWORD,
  startRelayAndKeeper,
  type RelayAndKeeper,
} from '../support/relay-and-keeper.ts'
import { missing } from '../support/server-process.ts'
import { RELAY_NAME } from '../support/site.ts'

// Git looks for its commands beside its own folder, not on the PATH.
const GIT_SEND_EMAIL = '../lib/git-core/git-send-email'
const skip =
  missing('postfix', 'msmtp', 'mutt', 's-nail', GIT_SEND_EMAIL, 'swaks', 'curl', 'python3') ??
  postfixNeedsRoot()

const BODY = 'Hello Bob,\n\n.hidden\n.\n..\nFrom here on\n\n-- \nAlice\n'
const STRANGER =
  /5\.7\.1 Sender mallory@example\.org is not yours\. You may send as alice@example\.org/

/** A program, and what it tells: its exit code and its words. */
interface Client {
  /** Its section in docs/clients.md. */
  readonly name: string
  readonly wrongPassword: readonly [code: number, words: RegExp]
  readonly stranger: readonly [code: number, words: RegExp]
  readonly untrusted: number
  /** What it puts behind every mail. */
  readonly addition?: string
  /** That it believes a certificate whatever its name. */
  readonly anyName?: boolean
}

const CLIENTS: readonly Client[] = [
  { name: 'msmtp', wrongPassword: [77, /535 5\.7\.8/], stranger: [65, STRANGER], untrusted: 69 },
  {
    name: 'mutt',
    wrongPassword: [1, /SASL authentication failed/],
    stranger: [1, STRANGER],
    untrusted: 1,
  },
  { name: 's-nail', wrongPassword: [4, /535 5\.7\.8/], stranger: [4, STRANGER], untrusted: 4 },
  {
    name: 'git send-email',
    wrongPassword: [255, /5\.7\.8/],
    stranger: [255, STRANGER],
    untrusted: 255,
  },
  {
    name: 'swaks',
    wrongPassword: [28, /535 5\.7\.8/],
    stranger: [23, STRANGER],
    untrusted: 29,
    addition: '\n',
    anyName: true,
  },
  // Without --verbose it tells nothing but the code.
  {
    name: 'curl',
    wrongPassword: [67, /Login denied/],
    stranger: [55, /MAIL failed: 550/],
    untrusted: 60,
  },
  { name: 'Python', wrongPassword: [1, /535.*5\.7\.8/], stranger: [1, STRANGER], untrusted: 1 },
]

describe.skipIf(skip)('programs that people send with', () => {
  let relay: RelayAndKeeper

  beforeAll(async () => {
    relay = await startRelayAndKeeper(['alice'])
  })

  afterAll(() => relay.stop())

  describe.each(CLIENTS)('$name', client => {
    /** Follows docs/clients.md in a new home folder, and sends a mail with this subject. */
    async function send(subject: string, change: Partial<Substitutes> = {}): Promise<Finished> {
      const home = new Home(join(relay.folder, subject.replaceAll(' ', '-')))
      await mkdir(home.folder)
      const { site } = relay
      const substitutes: Substitutes = {
        port: site.ports.submissions,
        password: PASSWORD,
        ca: site.certificates.ca,
        ...change,
      }
      const passwords = await instructions('The password')
      const { files, command } = await instructions(client.name)
      for (const [path, text] of [...passwords.files, ...files]) {
        await home.write(path, substitute(text, substitutes))
      }
      await home.write('~/.mail-password', `${substitutes.password}\n`)
      const from = substitute('Alice Example <alice@example.org>', substitutes)
      const message = `From: ${from}\nTo: bob@example.net\nSubject: ${subject}\n\n${BODY}`
      await home.write('~/body.txt', BODY)
      await home.write('~/message.eml', message)
      await home.write('~/0001-it.patch', message)
      return home.run(substitute(command, substitutes).replaceAll('A subject', subject))
    }

    test('sends with the documented settings, and the mail arrives as it was written', async () => {
      const subject = `by ${client.name}`
      const { code, output } = await send(subject)
      expect(code, output).toBe(0)
      const text = await relay.arrived(new RegExp(`^Subject: ${subject}$`, 'm'))
      expect(text).toContain('Return-Path: <alice@example.org>\n')
      expect(text).toContain('From: Alice Example <alice@example.org>\n')
      expect(bodyOf(text)).toBe(BODY + (client.addition ?? ''))
      // Postfix has put its own on top.
      const [, ours = '', ...others] = text.match(/^Received:.*(?:\n[ \t].*)*/gm) ?? []
      expect(others).toEqual([])
      expect(ours).toContain(`by ${RELAY_NAME} with ESMTPSA id `)
      expect(ours).not.toMatch(/127\.0\.0\.1|::1|alice/)
    })

    test('fails with a wrong password, and sends nothing', async () => {
      const before = await relay.accepted()
      const password = 'not-the-one'
      const { code, output } = await send(`wrong password by ${client.name}`, { password })
      expect([code, output]).toEqual([
        client.wrongPassword[0],
        expect.stringMatching(client.wrongPassword[1]),
      ])
      expect(await relay.accepted()).toBe(before)
    })

    test('shows why a sender is refused that is not the login’s, and sends nothing', async () => {
      const before = await relay.accepted()
      const { code, output } = await send(`stranger by ${client.name}`, { sender: 'mallory' })
      expect([code, output]).toEqual([
        client.stranger[0],
        expect.stringMatching(client.stranger[1]),
      ])
      expect(await relay.accepted()).toBe(before)
    })

    test('tells no password to a server that nobody vouches for', async () => {
      const before = await relay.logins()
      const { code, output } = await send(`no authority by ${client.name}`, { ca: undefined })
      expect(code, output).toBe(client.untrusted)
      expect(await relay.logins()).toBe(before)
    })

    test.skipIf(client.anyName)('tells no password to a server with another name', async () => {
      const before = await relay.logins()
      const { code, output } = await send(`other name by ${client.name}`, { host: OTHER_ADDRESS })
      expect(code, output).toBe(client.untrusted)
      expect(await relay.logins()).toBe(before)
    })
  })
})

/** The body as its reader sees it. */
function bodyOf(text: string): string {
  const at = text.indexOf('\n\n')
  const body = text.slice(at + 2)
  if (!/^Content-Transfer-Encoding: quoted-printable$/im.test(text.slice(0, at))) return body
  return body
    .replaceAll('=\n', '')
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
}
