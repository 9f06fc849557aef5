import fc from 'fast-check'
import { expect, test } from 'vitest'

import { newId } from '../../src/base/id.ts'
import { parseHeader } from '../../src/mail/headers.ts'
import { findToken, mintedAt, mintToken, verifyToken } from '../../src/probe/token.ts'

const KEY = Buffer.from('a key that is only test data')
const OTHER = Buffer.from('a key of somebody else')
const ID = newId(() => 1_800_000_000_000)

function find(header: string) {
  return findToken(parseHeader(Buffer.from(header)), KEY)
}

test('a token tells its canary, in any case of letters', () => {
  const token = mintToken(ID, KEY)
  expect(token).toMatch(/^[0-9A-Z]{16}-[0-9A-Z]{16}$/)
  expect(verifyToken(token, KEY)).toBe(ID)
  expect(verifyToken(token.toLowerCase(), KEY)).toBe(ID)
})

test('the id of a canary tells when it was made', () => {
  expect(mintedAt(ID)).toBe(1_800_000_000_000)
})

test('a token of another key, another id or any changed character is none', () => {
  const token = mintToken(ID, KEY)
  expect(verifyToken(mintToken(ID, OTHER), KEY)).toBeUndefined()
  fc.assert(
    fc.property(
      fc.nat(token.length - 1),
      fc.constantFrom(...'0123456789ABCDEFGHJKMNPQRSTVWXYZ'.split('')),
      (at, digit) => {
        fc.pre(token[at] !== digit && token[at] !== '-')
        expect(verifyToken(token.slice(0, at) + digit + token.slice(at + 1), KEY)).toBeUndefined()
      },
    ),
  )
})

test('no text makes verification throw', () => {
  fc.assert(
    fc.property(fc.string(), text => {
      expect(verifyToken(text, KEY)).toBeUndefined()
    }),
  )
})

test.each([
  ['Message-ID', (token: string) => `Message-ID: <${token}@example.org>\r\n`],
  ['a folded Message-ID', (token: string) => `Message-ID:\r\n <${token}@example.org>\r\n`],
  ['X-Reference', (token: string) => `Message-ID: <x@y>\r\nX-Reference: ${token}\r\n`],
  ['Subject', (token: string) => `Subject: Re: Minutes (${token})\r\n`],
])('a token is found in %s', (_, header) => {
  const token = mintToken(ID, KEY)
  expect(find(header(token))).toEqual({ kind: 'genuine', token, id: ID })
})

test('a token in another field or in a longer word is not looked at', () => {
  const token = mintToken(ID, KEY)
  expect(find(`References: <${token}@example.org>\r\n`)).toEqual({ kind: 'none' })
  expect(find(`Subject: A${token}\r\n`)).toEqual({ kind: 'none' })
})

test('a message in the shape of a canary that we did not send is forged', () => {
  const forged = mintToken(ID, OTHER)
  expect(find(`Message-ID: <${forged}@example.org>\r\n`)).toEqual({ kind: 'forged' })
  // The genuine one counts, whatever stands beside it.
  expect(find(`Message-ID: <${forged}@a>\r\nX-Reference: ${mintToken(ID, KEY)}\r\n`)).toMatchObject(
    {
      kind: 'genuine',
    },
  )
})

test('a Message-ID of 32 hexadecimal digits, as many programs write it, is nobody trying to forge', () => {
  expect(find('Message-ID: <d41d8cd98f00b204e9800998ecf8427e@example.com>\r\n')).toEqual({
    kind: 'none',
  })
})
