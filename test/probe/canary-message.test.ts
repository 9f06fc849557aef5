import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { expect, test } from 'vitest'

import { newId } from '../../src/base/id.ts'
import { parseHeader, splitMessage, valuesOf } from '../../src/mail/headers.ts'
import { canaryMessage } from '../../src/probe/canary-message.ts'
import { type Content, CONTENTS, wordingOf } from '../../src/probe/content.ts'
import { pdfPage } from '../../src/probe/pdf-page.ts'
import { seededRandom } from '../../src/probe/statistics/seeded-random.ts'
import { findToken, mintToken } from '../../src/probe/token.ts'
import { missing } from '../support/server-process.ts'

const execute = promisify(execFile)

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

test('every word of a content has its turn, and no sentence is said twice in one canary', () => {
  const { subjects, greetings, sentences, closings } = PLAIN
  const left = new Set([...subjects, ...greetings, ...sentences, ...closings])
  const random = seededRandom(1)
  for (let i = 0; i < 1_000; i++) {
    const { subject, paragraphs, further } = wordingOf(PLAIN, random)
    const said = sentences.filter(sentence => paragraphs[1]?.includes(sentence))
    expect(said).toHaveLength(3)
    expect(further.filter(sentence => said.includes(sentence))).toEqual([])
    const [greeting = '', , closing = ''] = paragraphs
    for (const word of [subject, greeting, closing, ...said]) left.delete(word)
  }
  expect([...left]).toEqual([])
})

test('text from the configuration cannot add a field', async () => {
  const message = await build({ fromName: 'Ada\r\nBcc: everybody@example.com' })
  expect(valuesOf(parseHeader(splitMessage(message).header), 'bcc')).toEqual([])
})

test.each([...CONTENTS.keys()])(
  'the token is in Message-ID and Subject of %s, each enough',
  async name => {
    const content = CONTENTS.get(name) as Content
    const fields = parseHeader(splitMessage(await build({ content })).header)
    for (const only of ['message-id', 'subject', 'x-reference']) {
      const one = fields.filter(field => field.name.toLowerCase() === only)
      expect(findToken(one, KEY)).toMatchObject({ kind: 'genuine', token: TOKEN })
    }
  },
)

test('the token stays whole in a Subject that has to be encoded', async () => {
  const subjects = ['Größe und Maß der neuen Möbel für das Büro in der Straße hinter dem Museum']
  const message = await build({ content: { ...PLAIN, subjects } })
  const fields = parseHeader(splitMessage(message).header)
  const subject = fields.filter(field => field.name.toLowerCase() === 'subject')
  expect(subject[0]?.value).toContain('=?')
  expect(findToken(subject, KEY)).toMatchObject({ kind: 'genuine', token: TOKEN })
})

test('html has its text beside it, and what the words hold cannot become markup', async () => {
  const content = { ...(CONTENTS.get('html') as Content), greetings: ['Hello <b>&</b>,'] }
  const text = (await build({ content })).toString()
  expect(text).toMatch(/^Content-Type: multipart\/alternative;/m)
  expect(text).toMatch(
    /^Content-Type: text\/plain;[\s\S]*^Hello <b>&<\/b>,[\s\S]*^Content-Type: text\/html;/m,
  )
  expect(text).toContain('<p>Hello &lt;b&gt;&amp;&lt;/b&gt;,</p>')
})

test('a reply stands in a thread and quotes what it answers', async () => {
  const text = (await build({ content: CONTENTS.get('reply') as Content })).toString()
  expect(text).toMatch(/^Subject: Re: /m)
  const asked = /^In-Reply-To: (<\d+\.[0-9a-f]+@example\.net>)\r$/m.exec(text)?.[1]
  expect(text).toContain(`\r\nReferences: ${asked}\r\n`)
  // Quoted-printable folds long lines (RFC 2045 section 6.7), whatever the wording of the day.
  expect(text.replaceAll('=\r\n', '')).toMatch(/^On .* wrote:\r\n> /m)
})

test('an attachment is a page of PDF whose table leads to its objects', async () => {
  const text = (await build({ content: CONTENTS.get('attachment') as Content })).toString()
  expect(text).toMatch(/^Content-Disposition: attachment; filename=[A-Za-z-]+\.pdf\r$/m)
  const encoded =
    /Content-Transfer-Encoding: base64\r\n[\s\S]*?\r\n\r\n([A-Za-z0-9+/=\r\n]+)/.exec(text)?.[1] ??
    ''
  const pdf = Buffer.from(encoded, 'base64').toString('latin1')
  expect(pdf).toMatch(/^%PDF-1\.4\n/)
  const table = Number(/startxref\n(\d+)\n%%EOF\n$/.exec(pdf)?.[1])
  expect(pdf.slice(table, table + 5)).toBe('xref\n')
  const offsets = [...pdf.matchAll(/^(\d{10}) 00000 n $/gm)].map(match => Number(match[1]))
  expect(offsets).toHaveLength(5)
  for (const [index, offset] of offsets.entries()) {
    expect(pdf.slice(offset)).toMatch(new RegExp(`^${index + 1} 0 obj\n`))
  }
})

/** What Python's email package makes of a message: its parts, and everything that is wrong with them. */
async function partsByPython(
  message: Buffer,
): Promise<{ readonly parts: readonly unknown[]; readonly defects: readonly string[] }> {
  const python = execute('python3', ['-c', PYTHON])
  python.child.stdin?.end(message)
  return JSON.parse((await python).stdout) as Awaited<ReturnType<typeof partsByPython>>
}

const PYTHON = `
import email, email.policy, json, sys
message = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default)
parts = list(message.walk())
print(json.dumps({
    'parts': [[p.get_content_type(), p.get_content_disposition(), p['content-transfer-encoding']] for p in parts],
    'defects': [str(d) for p in parts for d in [*p.defects, *(d for h in p.values() for d in h.defects)]],
}))
`

test.skipIf(missing('python3')).each([
  ['plain', [['text/plain', null, 'quoted-printable']]],
  [
    'html',
    [
      ['multipart/alternative', null, null],
      ['text/plain', null, 'quoted-printable'],
      ['text/html', null, 'quoted-printable'],
    ],
  ],
  ['reply', [['text/plain', null, 'quoted-printable']]],
  [
    'attachment',
    [
      ['multipart/mixed', null, null],
      ['text/plain', null, 'quoted-printable'],
      ['application/pdf', 'attachment', 'base64'],
    ],
  ],
])('%s is sound MIME to another program', async (name, parts) => {
  // A sentence that has to be encoded, whatever the wording of the day.
  const content = { ...(CONTENTS.get(name) as Content), greetings: ['Liebe Ädä – wie geht’s?'] }
  expect(await partsByPython(await build({ content }))).toEqual({ parts, defects: [] })
})

test.skipIf(missing('pdftotext'))(
  'a PDF reader shows the page, and all of a long line',
  async () => {
    const long = 'One sentence that is longer than a line of the page. '.repeat(4).trimEnd()
    const page = pdfPage(['Größe (“Maß”) – 100 € \\ all', '', long, 'Ω and 漢'])
    const reader = execute('pdftotext', ['-layout', '-enc', 'UTF-8', '-', '-'])
    reader.child.stdin?.end(page)
    const { stdout, stderr } = await reader
    expect(stderr).toBe('')
    const [title, ...rest] = stdout.replaceAll('\f', '').trimEnd().split('\n')
    expect(title).toBe('Größe (“Maß”) – 100 € \\ all')
    expect(rest.at(-1)).toBe('? and ?')
    expect(rest.slice(0, -1).join(' ').trim()).toBe(long)
  },
)
