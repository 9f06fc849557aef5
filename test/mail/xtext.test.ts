import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { decodeXtext, encodeXtext, parseOrcpt } from '../../src/mail/xtext.ts'

describe('xtext', () => {
  it('codes what RFC 3461 says must be coded', () => {
    expect(encodeXtext('a+b=c d\u0001')).toBe('a+2Bb+3Dc+20d+01')
  })

  it('reads back whatever it writes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), text => {
        expect(encodeXtext(text)).toMatch(/^[!-~]*$/)
        expect(decodeXtext(encodeXtext(text))).toBe(text)
      }),
    )
  })

  it.each(['a+', 'a+2', 'a+2b', 'a=b', 'a b', 'ä', 'a+ZZ', 'a\r\nb'])('refuses %j', text => {
    expect(decodeXtext(text)).toBeUndefined()
  })
})

describe('parseOrcpt', () => {
  it.each([
    ['rfc822;Bob+2Bx@example.net', { type: 'rfc822', address: 'Bob+x@example.net' }],
    ['RFC822;bob@example.net', { type: 'rfc822', address: 'bob@example.net' }],
    [String.raw`utf-8;j\x{FC}rgen@example.net`, { type: 'utf-8', address: 'jürgen@example.net' }],
    ['utf-8;jürgen@example.net', { type: 'utf-8', address: 'jürgen@example.net' }],
  ])('reads %s', (text, orcpt) => {
    expect(parseOrcpt(text)).toEqual(orcpt)
  })

  it.each([
    'bob@example.net',
    'rfc822;',
    'rfc822;a b',
    ';bob',
    'rfc 822;bob',
    String.raw`utf-8;\x{D800}`,
    String.raw`utf-8;\y`,
    String.raw`utf-8;\x{110000}`,
    `rfc822;${'a'.repeat(500)}`,
  ])('refuses %j', text => {
    expect(parseOrcpt(text)).toBeUndefined()
  })
})
