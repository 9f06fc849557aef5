import { expect, test } from 'vitest'

import { newId } from '../../src/base/id.ts'
import { parseHeader, splitMessage, valuesOf } from '../../src/mail/headers.ts'
import { canaryMessage } from '../../src/probe/canary-message.ts'
import { type Content, CONTENTS, wordingOf } from '../../src/probe/content.ts'
import { findToken, mintToken } from '../../src/probe/token.ts'

const KEY = Buffer.from('a key that is only test data')
const TOKEN = mintToken(newId(Date.now), KEY)
const PLAIN = CONTENTS.get('plain') as Content

function build(changes: Partial<Parameters<typeof canaryMessage>[0]> = {}): Promise<Buffer> {
  return canaryMessage({
    from: 'canary@example.org',
    fromName: 'Ada Example',
    to: 'seed@example.net',
    token: TOKEN,
    content: PLAIN,
    at: Date.UTC(2026, 10, 23, 22, 14, 40),
    random: Math.random,
    ...changes,
  })
}

test('a canary has what RFC 5322 demands, once, and its token at our domain', async () => {
  const fields = parseHeader(splitMessage(await build()).header)
  for (const name of ['date', 'from', 'to', 'subject', 'message-id', 'mime-version']) {
    expect(valuesOf(fields, name)).toHaveLength(1)
  }
  expect(valuesOf(fields, 'date')).toEqual(['Mon, 23 Nov 2026 22:14:40 +0000'])
  expect(valuesOf(fields, 'message-id')).toEqual([`<${TOKEN}@example.org>`])
  expect(findToken(fields, KEY).kind).toBe('genuine')
})

test('it does not say that it is automatic, unless told to', async () => {
  expect((await build()).toString()).not.toMatch(/auto-submitted|x-mailer|canary v/i)
  expect((await build({ content: { ...PLAIN, automatic: true } })).toString()).toContain(
    'Auto-Submitted: auto-generated\r\n',
  )
})

test('lines end in CRLF and are no longer than RFC 5321 allows', async () => {
  const text = (await build()).toString('latin1')
  expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
  expect(Math.max(...text.split('\r\n').map(line => line.length))).toBeLessThanOrEqual(998)
})

test('canaries differ in their words', () => {
  const texts = new Set(
    Array.from({ length: 200 }, () => JSON.stringify(wordingOf(PLAIN, Math.random))),
  )
  expect(texts.size).toBeGreaterThan(195)
})

test('text from the configuration cannot add a field', async () => {
  const message = await build({ fromName: 'Ada\r\nBcc: everybody@example.com' })
  expect(valuesOf(parseHeader(splitMessage(message).header), 'bcc')).toEqual([])
})
