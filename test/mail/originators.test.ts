import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { parseHeader } from '../../src/mail/headers.ts'
import { originators } from '../../src/mail/originators.ts'
import { missing } from '../support/server-process.ts'

const read = (section: string) => originators(parseHeader(Buffer.from(section)))
const from = (value: string) => read(`From: ${value}\r\nTo: carol@example.net\r\n`)

describe('originators, of what people and programs write', () => {
  it.each([
    ['alice@example.org', ['alice@example.org']],
    ['Alice <alice@example.org>', ['alice@example.org']],
    ['<alice@example.org>', ['alice@example.org']],
    ['< alice@example.org >', ['alice@example.org']],
    ['"Example, Alice" <alice@example.org>', ['alice@example.org']],
    ['Alice B. Example <alice@example.org>', ['alice@example.org']],
    ['alice@example.org (Alice (from the office))', ['alice@example.org']],
    ['(Alice) alice@example.org', ['alice@example.org']],
    ['Alice\r\n\t<alice@example.org>', ['alice@example.org']],
    ['=?utf-8?q?J=C3=BCrgen_M=2E?= <alice@example.org>', ['alice@example.org']],
    ['=?utf-8?B?TcO8bGxlciwgSGFucw==?= <alice@example.org>', ['alice@example.org']],
    ['=?iso-2022-jp?B?GyRCOzNFRBsoQg==?= <alice@example.org>', ['alice@example.org']],
    ['Jürgen <alice@example.org>', ['alice@example.org']],
    ['Ju\u0308rgen\u00a0M. <alice@example.org>', ['alice@example.org']],
    ['"alice"@EXAMPLE.org', ['alice@example.org']],
    ['alice@example.org, Bob <bob@example.net>', ['alice@example.org', 'bob@example.net']],
    [',, alice@example.org ,', ['alice@example.org']],
    ['Team: alice@example.org, Bob <bob@example.net>;', ['alice@example.org', 'bob@example.net']],
    ['Team: alice@example.org;, Us: bob@example.net;', ['alice@example.org', 'bob@example.net']],
    ['jürgen@bücher.example', ['jürgen@xn--bcher-kva.example']],
    ['alice@[192.0.2.1]', ['alice@[192.0.2.1]']],
  ])('reads %j', (value, expected) => {
    expect(from(value)).toEqual({ ok: true, from: expected, sender: [] })
  })

  it('returns Sender and the resent fields, all of them', () => {
    const section =
      'Resent-From: bob@example.net, carol@example.net\r\nResent-Sender: dave@example.net\r\n' +
      'Resent-From: erin@example.net\r\nFrom: alice@example.org\r\nSENDER : <office@example.org>\r\n'
    expect(read(section)).toEqual({
      ok: true,
      from: ['alice@example.org'],
      sender: [
        'bob@example.net',
        'carol@example.net',
        'dave@example.net',
        'erin@example.net',
        'office@example.org',
      ],
    })
  })
})

describe('originators, of what is meant to deceive', () => {
  it.each([
    // The mailbox that counts is the one in the brackets, whatever the rest looks like.
    ['an address in a display name', '"ceo@example.org" <bob@example.net>'],
    ['an address in a comment', '(ceo@example.org) bob@example.net'],
    ['an address in a comment in brackets', 'bob@example.net (<ceo@example.org>)'],
    ['an address in an encoded word', '=?utf-8?q?ceo=40example=2Eorg?= <bob@example.net>'],
    ['brackets in a quoted string', '"<ceo@example.org>" <bob@example.net>'],
    ['an escaped quote', String.raw`"a\" <ceo@example.org>" <bob@example.net>`],
    ['a bracket in a comment', '(\\) <ceo@example.org>) bob@example.net'],
  ])('is not misled by %s', (_, value) => {
    expect(from(value)).toEqual({ ok: true, from: ['bob@example.net'], sender: [] })
  })

  it.each([
    ['two From fields', 'From: alice@example.org\r\nFrom: bob@example.net\r\n'],
    ['two From fields in other spellings', 'From: alice@example.org\r\nfROM : bob@example.net\r\n'],
    [
      'two Sender fields',
      'From: a@example.org\r\nSender: a@example.org\r\nSender: b@example.org\r\n',
    ],
    ['a Sender of two', 'From: a@example.org\r\nSender: a@example.org, b@example.org\r\n'],
    ['an empty Sender', 'From: a@example.org\r\nSender:\r\n'],
    ['no From', 'To: alice@example.org\r\n'],
    ['a misspelt From', 'Frm: alice@example.org\r\n'],
    ['a From folded in its name', 'Fro\r\n m: alice@example.org\r\n'],
    ['a line that is no field', 'From: alice@example.org\r\nnonsense\r\nSubject: x\r\n'],
    ['a From that begins with a blank', ' From: bob@example.net\r\nFrom: alice@example.org\r\n'],
    ['a name that is not ASCII', 'Fr\u043em: bob@example.net\r\nFrom: alice@example.org\r\n'],
    ['a name with a NUL', 'From\0: bob@example.net\r\nFrom: alice@example.org\r\n'],
    ['an mbox line', 'From bob@example.net\r\nFrom: alice@example.org\r\n'],
    [
      'a hidden From behind a bare CR',
      'Subject: x\rFrom: bob@example.net\r\nFrom: a@example.org\r\n',
    ],
    ['a bare LF', 'Subject: x\nFrom: alice@example.org\r\n'],
    ['a line of blanks in From', 'From: alice@example.org\r\n \r\n , bob@example.net\r\n'],
  ])('refuses %s', (_, section) => {
    expect(read(section)).toMatchObject({ ok: false })
  })

  it.each([
    ['nothing', ''],
    ['only a comment', '(alice@example.org)'],
    ['only commas', ', ,'],
    ['the null address', '<>'],
    ['an empty group', 'undisclosed-recipients:;'],
    ['a group in a group', 'a: b: alice@example.org;;'],
    ['a group without its end', 'a: alice@example.org'],
    ['a group without a name', ': alice@example.org;'],
    ['an address after a group', 'a: alice@example.org; bob@example.net'],
    ['an address as the name of a group', 'alice@example.org: bob@example.net;'],
    ['a display name that begins with a dot', '. <alice@example.org>'],
    ['two addresses without a comma', '<alice@example.org> <bob@example.net>'],
    ['an address before brackets', 'alice@example.org <bob@example.net>'],
    ['text behind brackets', '<alice@example.org> bob'],
    ['a semicolon for a comma', 'alice@example.org; bob@example.net'],
    ['a source route', '<@example.net:alice@example.org>'],
    ['a longer source route', '<@example.net,@example.com:alice@example.org>'],
    ['a comma in brackets', '<alice@example.org,bob@example.net>'],
    ['a comment in an address', 'alice(bob@example.net)@example.org'],
    ['a comment in brackets', '<alice@example.org(x)>'],
    ['a blank in an address', 'alice @example.org'],
    ['a folded address', '<alice@\r\n example.org>'],
    ['an obsolete local part', 'alice . b@example.org'],
    ['a quoted word within a local part', 'alice."b"@example.org'],
    ['an address without its domain', 'postmaster'],
    ['a dot at the end of the domain', 'alice@example.org.'],
    ['an encoded word as an address', '=?utf-8?q?alice=40example=2Eorg?='],
    ['an encoded word as a local part', '=?utf-8?q?bob?=@example.org'],
    [
      'an encoded word that closes brackets',
      '=?utf-8?q?bob=40example.net=3E?= <alice@example.org>',
    ],
    ['an encoded word with NUL', '=?utf-8?q?bob=40example.net=00?= <alice@example.org>'],
    ['an encoded word with a line end', '=?utf-8?b?YQ0KRnJvbTogYg==?= <alice@example.org>'],
    ['an encoded word in UTF-7', '=?utf-7?q?+ADw-bob+AD4-?= <alice@example.org>'],
    ['an encoded word of no encoding', '=?utf-8?x?bob?= <alice@example.org>'],
    ['a quoted string without its end', '"alice <alice@example.org>'],
    ['a comment without its end', 'alice@example.org (bob@example.net'],
    ['a closing parenthesis too many', 'alice) <alice@example.org>'],
    ['a comment too deep', `${'('.repeat(50)}${')'.repeat(50)} alice@example.org`],
    ['brackets the wrong way round', '>alice@example.org<'],
    ['brackets within brackets', '<<alice@example.org>>'],
    ['an open bracket', '<alice@example.org'],
    ['a backslash', String.raw`alice\@example.org`],
    ['a vertical tab', 'alice@example.org\u000b'],
    ['a no-break space around an address', '\u00a0alice@example.org'],
    ['a right-to-left override in the address', 'al\u202eice@example.org'],
    ['two at signs', 'alice@example.net@example.org'],
    ['characters not in their normal form', 'ju\u0308rgen@example.org'],
    [
      'more than anyone needs',
      Array.from({ length: 101 }, (_, n) => `a${n}@example.org`).join(', '),
    ],
    ['a list without end', 'a@example.org, '.repeat(2_000)],
  ])('refuses %s', (_, value) => {
    expect(from(value)).toMatchObject({ ok: false })
  })

  it('refuses a From that is no UTF-8', () => {
    const section = Buffer.from('From: J\u00fcrgen <alice@example.org>\r\n', 'latin1')
    expect(originators(parseHeader(section))).toMatchObject({ ok: false })
  })

  it('names a source route for what it is', () => {
    expect(from('<@example.net:alice@example.org>')).toEqual({
      ok: false,
      problem: 'The From field cannot be read: it holds a source route',
    })
  })

  it('says nothing of the message in its problem', () => {
    const result = from('secret@example.net@example.org')
    expect(result.ok ? '' : result.problem).toBe(
      'The From field cannot be read: it holds no valid address',
    )
  })
})

describe('originators, of anything', () => {
  const special = fc.constantFrom(
    '"',
    '\\',
    '(',
    ')',
    '<',
    '>',
    ',',
    ';',
    ':',
    '@',
    '.',
    ' ',
    '[',
    ']',
  )
  const word = fc.constantFrom('alice@example.org', 'bob@example.net', 'Bob', '\u00fc', 'group:')
  const other = fc.constantFrom('\r\n ', '=?utf-8?q?x=3C?=', '"a@b"', '(c)')
  const piece = fc.oneof(special, word, other)
  const whole = fc.constantFrom('<carol@example.com>', 'dave@example.com', ', ', 'Bob ', '(c) ')
  const fragment = fc.oneof(piece, whole, whole)

  it('never throws, and drops nobody: there are as many mailboxes as there are @ outside of quotes', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), pieces => {
        const value = pieces.join('')
        const result = from(value)
        if (!result.ok) return
        expect(result.from.length).toBeGreaterThan(0)
        if (/[()\\]/.test(value)) return
        const bare = value.replaceAll(/"[^"]*"/g, '')
        expect(result.from).toHaveLength(bare.split('@').length - 1)
      }),
      { numRuns: 3_000 },
    )
  })

  it('finds every mailbox of a list, whatever stands around them', () => {
    const name = fc.constantFrom('', 'Alice ', '"A, B" ', '(x) ', '=?utf-8?q?A=2C?= ', 'A. B ')
    const address = fc.constantFrom('a@example.org', 'b+c@example.net', '"d e"@example.com')
    const mailbox = fc
      .tuple(name, address)
      .map(([name, address]) => ({ address, text: `${name}<${address}>` }))
    fc.assert(
      fc.property(
        fc.array(mailbox, { minLength: 1, maxLength: 9 }),
        fc.boolean(),
        (list, group) => {
          const text = list.map(each => each.text).join(group ? ',\r\n ' : ', ')
          expect(from(group ? `Team: ${text};` : text)).toEqual({
            ok: true,
            from: list.map(each => each.address),
            sender: [],
          })
        },
      ),
    )
  })

  it.skipIf(missing('python3'))(
    'reads what it takes as Python does, down to the last mailbox',
    () => {
      // The same values at each run: what is judged here is us, not a release of Python.
      const written = fc.sample(fc.array(fragment, { minLength: 1, maxLength: 6 }), {
        numRuns: 20_000,
        seed: 7,
      })
      const taken = new Map<string, readonly string[]>()
      for (const value of written.map(pieces => pieces.join(''))) {
        const result = /[\r\n\u00fc]/.test(value) ? undefined : from(value)
        if (result?.ok === true) taken.set(value, result.from)
      }
      expect(taken.size).toBeGreaterThan(200)
      const judge = join(import.meta.dirname, 'judge-from.py')
      const input = JSON.stringify([...taken.keys()])
      const output = execFileSync('python3', [judge], { input }).toString()
      const read = JSON.parse(output) as readonly (readonly string[] | null)[]
      const plain = (addresses: readonly string[]): readonly string[] =>
        addresses.map(address => address.replaceAll('"', '').toLowerCase())
      for (const [index, [value, ours]] of [...taken].entries()) {
        const theirs = read[index] ?? null
        if (theirs !== null) expect([value, plain(theirs)]).toEqual([value, plain(ours)])
      }
    },
  )

  it('takes no longer for hostile input than for any other of its size', () => {
    // Each of these made some parser quadratic: none may now hang the test.
    for (const unit of ['(', '"', '\\', '=?', '=?a?q?', '<', ',', ' ', '\r\n ', '((a)']) {
      const value = unit.repeat(Math.floor(16_000 / unit.length))
      expect(from(`${value}alice@example.org`)).toBeDefined()
    }
  })
})
