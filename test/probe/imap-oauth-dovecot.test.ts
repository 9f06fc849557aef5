import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import { HOUR } from '../../src/base/clock.ts'
import { Secret } from '../../src/base/secret.ts'
import type { ProbeEvent } from '../../src/probe/events.ts'
import { ImapMailbox } from '../../src/probe/imap-mailbox.ts'
import type { Reading } from '../../src/probe/mailbox.ts'
import { TokenFile } from '../../src/probe/oauth/token-file.ts'
import { TokenKeeper } from '../../src/probe/oauth/token-keeper.ts'
import { type Dovecot, startDovecot } from '../support/dovecot.ts'
import { OAuthServer } from '../support/oauth-server.ts'
import { makeScratch } from '../support/scratch.ts'
import { eventually, missing } from '../support/server-process.ts'
import { SEED_ADDRESS, seedOf } from './world.ts'

const never = new AbortController().signal

describe.skipIf(missing('dovecot')).each(['xoauth2', 'oauthbearer'] as const)(
  'an IMAP server that takes tokens by %s',
  mechanism => {
    let scratch: string
    let dovecot: Dovecot
    let oauth: OAuthServer

    beforeAll(async () => {
      scratch = await makeScratch()
      oauth = await new OAuthServer().start()
      oauth.user = SEED_ADDRESS
      await mkdir(join(scratch, 'imap'), { mode: 0o755 })
      dovecot = await startDovecot({
        folder: join(scratch, 'imap'),
        name: 'mail.example.net',
        users: { [SEED_ADDRESS]: 'canary-demo' },
        oauth: { mechanism, introspect: `${oauth.url}/introspect` },
      })
    })
    afterAll(async () => {
      await dovecot.stop()
      await oauth.stop()
      await rm(scratch, { recursive: true, force: true })
    })

    function account(name: string): {
      readonly mailbox: ImapMailbox
      readonly events: ProbeEvent[]
      /** Reads until that is possible again, or until somebody is told to do something. */
      readonly settled: (until: (reading: Reading) => boolean) => Promise<Reading>
      readonly signIn: () => Promise<void>
    } {
      const file = new TokenFile(join(scratch, 'tokens', name), name, undefined)
      const events: ProbeEvent[] = []
      const keeper = new TokenKeeper({
        seed: name,
        provider: 'example',
        client: { id: 'client-1', endpoints: oauth.endpoints },
        file,
        report: event => events.push(event),
        clock: Date.now,
      })
      const mailbox = new ImapMailbox({
        account: { ...seedOf(dovecot).imap, credential: fresh => keeper.credential(fresh) },
        idle: true,
        ipv4Only: true,
        junkFolder: '',
        junkNames: [],
        retryAfter: { least: 10, most: 20 },
        clock: Date.now,
        random: Math.random,
      })
      onTestFinished(() => mailbox.close())
      return {
        mailbox,
        events,
        settled: until =>
          eventually(async () => {
            const reading = await mailbox.read([], 0, 'main', never)
            return until(reading) ? reading : undefined
          }, 'a reading'),
        async signIn() {
          const { accessToken, refreshToken } = oauth.grant()
          await file.write({
            accessToken: new Secret(accessToken),
            refreshToken: new Secret(refreshToken),
            accessUntil: Date.now() + HOUR,
            signedInAt: Date.now(),
            refreshedAt: Date.now(),
          })
        },
      }
    }

    test('is signed in to with a token that it asks about', async () => {
      const { mailbox, signIn } = account('good')
      await signIn()
      await dovecot.deliver(SEED_ADDRESS, 'Subject: one\r\n\r\nbody\r\n')
      const before = oauth.introspections
      expect(await mailbox.read([], 0, 'main', never)).toMatchObject({ complete: true, detail: '' })
      expect(oauth.introspections).toBe(before + 1)
    })

    test('a token that ended before its time costs one look, and the next has a new one', async () => {
      const { mailbox, events, settled, signIn } = account('ended')
      await signIn()
      oauth.endAccessTokens()
      const blind = await mailbox.read([], 0, 'main', never)
      expect(blind).toMatchObject({ complete: false, blindness: 'sign-in' })
      const reading = await settled(({ complete }) => complete)
      expect(reading.detail).toBe('')
      expect(events.map(({ kind }) => kind)).toEqual(['token-refreshed', 'token-refreshed'])
    })

    test('a sign-in that was revoked is blindness with the words for a person, until somebody signs in', async () => {
      const { mailbox, events, settled, signIn } = account('revoked')
      await signIn()
      oauth.revokeAll()
      await mailbox.read([], 0, 'main', never)
      const blind = await settled(({ detail }) => detail.includes('seed login'))
      expect(blind).toMatchObject({ complete: false, blindness: 'sign-in', messages: [] })
      expect(blind.detail).toContain('the sign-in is over (invalid_grant')
      expect(events.at(-1)).toMatchObject({ kind: 'token-failed', result: 'refused' })
      const asked = oauth.asked.length
      await mailbox.read([], 0, 'main', never)
      expect(oauth.asked).toHaveLength(asked)
      await signIn()
      await settled(({ complete }) => complete)
      expect(JSON.stringify([blind, events])).not.toMatch(/access-|refresh-|@mail\.example/)
    })

    test('nobody having signed in is blindness, and the server is not asked', async () => {
      const { mailbox } = account('absent')
      const before = oauth.introspections
      expect(await mailbox.read([], 0, 'main', never)).toMatchObject({
        complete: false,
        blindness: 'sign-in',
        detail: 'nobody has signed in: mailcanary seed login absent',
      })
      expect(oauth.introspections).toBe(before)
    })
  },
)
