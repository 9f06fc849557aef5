import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import {
  addressKey,
  allowedBy,
  formatAddress,
  isAscii,
  parseAddress,
  sameMailbox,
} from '../../src/mail/address.ts'

describe('parseAddress', () => {
  it.each([
    ['alice@example.org', 'alice', 'example.org'],
    ['Alice.B+x@EXAMPLE.org', 'Alice.B+x', 'example.org'],
    ["!#$%&'*+-/=?^_`{|}~@example.org", "!#$%&'*+-/=?^_`{|}~", 'example.org'],
    ['"a b"@example.org', 'a b', 'example.org'],
    ['"a@b"@example.org', 'a@b', 'example.org'],
    [String.raw`"a\"b\\c"@example.org`, String.raw`a"b\c`, 'example.org'],
    ['"alice"@example.org', 'alice', 'example.org'],
    ['alice@[192.0.2.1]', 'alice', '[192.0.2.1]'],
    ['alice@[IPv6:2001:db8::1]', 'alice', '[IPv6:2001:db8::1]'],
    ['Postmaster', 'Postmaster', ''],
    ['jürgen@example.org', 'jürgen', 'example.org'],
    ['alice@bücher.example', 'alice', 'xn--bcher-kva.example'],
    ['alice@XN--BCHER-KVA.example', 'alice', 'xn--bcher-kva.example'],
    ['alice@BÜCHER.example', 'alice', 'xn--bcher-kva.example'],
    [`${'a'.repeat(64)}@example.org`, 'a'.repeat(64), 'example.org'],
    ['__proto__@constructor.example', '__proto__', 'constructor.example'],
  ])('reads %s', (text, local, domain) => {
    expect(parseAddress(text)).toEqual({ local, domain })
  })

  it.each([
    ['nothing', ''],
    ['a bare word', 'alice'],
    ['no local part', '@example.org'],
    ['no domain', 'alice@'],
    ['a dot at the end of the domain', 'alice@example.org.'],
    ['two dots', 'alice@example..org'],
    ['a dot at the end of the local part', 'alice.@example.org'],
    ['two dots in the local part', 'a..b@example.org'],
    ['two at signs', 'a@b@example.org'],
    ['a blank', 'a b@example.org'],
    ['an unfinished quote', '"alice@example.org'],
    ['a quoted word within a local part', 'a."b"@example.org'],
    ['an empty quoted string', '""@example.org'],
    ['a control character', 'al\u0001ice@example.org'],
    ['NUL in quotes', '"a\u0000b"@example.org'],
    ['a line end in quotes', '"a\r\nb"@example.org'],
    ['a C1 control', 'al\u0085ice@example.org'],
    ['half of a surrogate pair', 'al\ud800ice@example.org'],
    ['a character that reverses text', 'al\u202eice@example.org'],
    ['the sign of broken UTF-8', 'al\ufffdice@example.org'],
    ['a source route', '@a.example:alice@example.org'],
    ['angle brackets', '<alice@example.org>'],
    ['an underscore in the domain', 'alice@ex_ample.org'],
    ['a hyphen at the edge of a label', 'alice@-example.org'],
    ['a percent escape in the domain', 'alice@ex%61mple.org'],
    ['a soft hyphen in the domain', 'alice@exam\u00adple.org'],
    ['a wide letter in the domain', 'alice@\uff45xample.org'],
    ['a wide dot in the domain', 'alice@example\u3002org'],
    ['an A-label that is none', 'alice@xn--a.example'],
    ['a literal with a zone', 'alice@[IPv6:fe80::1%eth0]'],
    ['a literal that is no address', 'alice@[example.org]'],
    ['an open literal', 'alice@[192.0.2.1'],
    ['a local part of 65 octets', `${'a'.repeat(65)}@example.org`],
    ['a local part of 66 octets in 33 characters', `${'ü'.repeat(33)}@example.org`],
    ['a label of 64', `alice@${'a'.repeat(64)}.org`],
    ['255 octets', `${'a'.repeat(64)}@${'b.'.repeat(94)}bb`],
  ])('refuses %s', (_, text) => {
    expect(parseAddress(text)).toBeUndefined()
  })

  it('takes 254 octets', () => {
    const text = `${'a'.repeat(64)}@${'b.'.repeat(94)}b`
    expect(text).toHaveLength(254)
    expect(parseAddress(text)).toBeDefined()
  })

  it('reads back whatever formatAddress writes', () => {
    const local = fc.string({ unit: 'binary', minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(local, local => {
        const text = formatAddress({ local, domain: 'example.org' })
        const parsed = parseAddress(text)
        if (parsed !== undefined) expect(parsed).toEqual({ local, domain: 'example.org' })
        // Printable ASCII can always be written, in quotes if need be.
        if (/^[ -~]+$/.test(local)) expect(parsed).toBeDefined()
      }),
    )
  })

  it('never lets a control through, and never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), text => {
        const key = addressKey(text)
        if (key !== undefined) {
          expect(key).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
          expect(addressKey(key)).toBe(key)
        }
      }),
    )
  })
})

describe('comparing addresses', () => {
  it('keeps the case of the local part in the key, and not that of the domain', () => {
    expect(addressKey('"Alice"@Example.ORG')).toBe('Alice@example.org')
    expect(addressKey('alice@example.org')).not.toBe(addressKey('Alice@example.org'))
    expect(addressKey('alice')).toBeUndefined()
  })

  it('knows one mailbox in another case for our own policy', () => {
    expect(sameMailbox('Alice@example.org', 'aLICE@EXAMPLE.ORG')).toBe(true)
    expect(sameMailbox('JÜRGEN@example.org', 'jürgen@example.org')).toBe(true)
    expect(sameMailbox('alice@example.org', 'alice@example.net')).toBe(false)
    expect(sameMailbox('nobody', 'nobody')).toBe(false)
  })

  it('does not take the Kelvin sign for a k', () => {
    expect(sameMailbox('\u212aate@example.org', 'kate@example.org')).toBe(false)
  })

  it('tells seven bits from more', () => {
    expect(isAscii('alice\u007f')).toBe(true)
    expect(isAscii('alicé')).toBe(false)
  })
})

describe('allowedBy', () => {
  const own = ['alice@example.org', 'Info@bücher.example', 'not an address']

  it.each([
    'alice@example.org',
    'ALICE@Example.Org',
    '"alice"@example.org',
    'alice+news@example.org',
    'alice+a+b@example.org',
    'info@xn--bcher-kva.example',
    'info@BÜCHER.example',
  ])('allows %s', candidate => {
    expect(allowedBy(own, candidate)).toBe(true)
  })

  it.each([
    '',
    'bob@example.org',
    'alice@example.net',
    'alice@example.org.',
    'alice@sub.example.org',
    'alicenews@example.org',
    'al+ice@example.org',
    '"alice@example.org"@example.net',
    '"alice+x@evil.example"@example.org',
    'alice',
    'postmaster',
    'not an address',
    'alice@example.org\u0000',
    ' alice@example.org',
    'alice@example.org, bob@example.org',
  ])('does not allow %j', candidate => {
    expect(allowedBy(own, candidate)).toBe(false)
  })

  it('allows nobody anything by default', () => {
    expect(allowedBy([], 'alice@example.org')).toBe(false)
  })
})
