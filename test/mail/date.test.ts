import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { formatDate, parseDate } from '../../src/mail/date.ts'

describe('dates of RFC 5322', () => {
  it('are written in universal time, with two digits for the day', () => {
    expect(formatDate(Date.UTC(2026, 10, 3, 4, 5, 6))).toBe('Tue, 03 Nov 2026 04:05:06 +0000')
  })

  it('are read back as they were written, to the second', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), seconds => {
        expect(parseDate(formatDate(seconds * 1_000))).toBe(seconds * 1_000)
      }),
    )
  })

  it.each([
    ['Mon, 23 Nov 2026 12:00:00 +0100', '2026-11-23T11:00:00Z'],
    ['23 Nov 2026 12:00 -0530', '2026-11-23T17:30:00Z'],
    ['Mon, 23 Nov 2026 12:00:00 +0000 (UTC)', '2026-11-23T12:00:00Z'],
    ['Mon,23 Nov 26 12:00:00 GMT', '2026-11-23T12:00:00Z'],
    ['Mon, 23 Nov 99 12:00:00 EST', '1999-11-23T17:00:00Z'],
    ['Mon, 23 Nov 126 12:00:00 Z', '2026-11-23T12:00:00Z'],
    ['mon, 3 NOV 2026 02:00:00 PDT', '2026-11-03T09:00:00Z'],
    ['Wed, 31 Dec 2008 23:59:60 +0000', '2009-01-01T00:00:00Z'],
  ])('are read in the form %s', (text, iso) => {
    expect(parseDate(text)).toBe(Date.parse(iso))
  })

  it.each([
    '',
    'yesterday',
    '31 Apr 2026 12:00:00 +0000',
    '0 Apr 2026 12:00:00 +0000',
    '1 Foo 2026 12:00:00 +0000',
    '1 Apr 2026 25:00:00 +0000',
    '1 Apr 2026 12:60:00 +0000',
    '1 Apr 2026 12:00:00 +0099',
    `1 Apr 2026 12:00:00 +0000 ${'('.repeat(300)}`,
  ])('are not made up from %j', text => {
    expect(parseDate(text)).toBeUndefined()
  })
})
