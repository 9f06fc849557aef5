import { describe, expect, it } from 'vitest'

import { redactedReceived } from '../../src/mail/completion.ts'
import { parseHeader } from '../../src/mail/headers.ts'
import { readReceived, receivedChain } from '../../src/mail/received-chain.ts'

describe('readReceived', () => {
  it.each([
    [
      'from mail.example.org (mail.example.org. [192.0.2.10]) by mx.google.com with ESMTPS id a1b2 for <bob@example.net> (version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256); Mon, 23 Nov 2026 04:00:05 -0800 (PST)',
      {
        from: 'mail.example.org',
        by: 'mx.google.com',
        protocol: 'ESMTPS',
        id: 'a1b2',
        tls: 'TLSv1.3',
      },
    ],
    [
      'by 2002:a05:6a10:1234:b0:5a with SMTP id x1csp123; Mon, 23 Nov 2026 04:00:05 -0800 (PST)',
      { from: '', by: '2002:a05:6a10:1234:b0:5a', protocol: 'SMTP', id: 'x1csp123', tls: '' },
    ],
    [
      'from A.example.org (192.0.2.1) by B.example.net (2001:db8::1) with Microsoft SMTP Server (version=TLS1_2, cipher=TLS_ECDHE_RSA) id 15.20.1; Mon, 23 Nov 2026 12:00:05 +0000',
      {
        from: 'a.example.org',
        by: 'b.example.net',
        protocol: 'MICROSOFT',
        id: '15.20.1',
        tls: 'TLSv1.2',
      },
    ],
    [
      'from mail.example.org (mail.example.org [192.0.2.10]) (using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)) by mx.example.net (Postfix) with ESMTPS id 4X; Mon, 23 Nov 2026 12:00:05 +0000 (UTC)',
      {
        from: 'mail.example.org',
        by: 'mx.example.net',
        protocol: 'ESMTPS',
        id: '4X',
        tls: 'TLSv1.3',
      },
    ],
    [
      'from a.example.org (envelope-from <x@example.org> by evil.example with SMTP) by b.example.net with UTF8SMTPSA; Mon, 23 Nov 2026 12:00:05 +0000',
      { from: 'a.example.org', by: 'b.example.net', protocol: 'UTF8SMTPSA', id: '', tls: 'yes' },
    ],
  ])('reads %s', (value, expected) => {
    expect(readReceived(value)).toMatchObject(expected)
    expect(readReceived(value).at).toBe(Date.parse('2026-11-23T12:00:05Z'))
  })

  it('makes nothing up', () => {
    const nothing = {
      from: '',
      by: '',
      protocol: '',
      id: '',
      tls: '',
      at: undefined,
      delay: undefined,
    }
    expect(readReceived('')).toEqual(nothing)
    expect(readReceived('somewhere; some time')).toEqual(nothing)
    expect(readReceived('('.repeat(20_000))).toEqual(nothing)
  })

  it('reads the field that we write', () => {
    const at = Date.parse('2026-11-23T12:00:05Z')
    const line = redactedReceived({
      hostname: 'relay.example.org',
      id: '00KQ1Z3V9ABCDEFG',
      protocol: 'ESMTPSA',
      tls: 'TLSv1.3',
      at,
    })
    expect(readReceived(parseHeader(Buffer.from(line))[0]?.value ?? '')).toEqual({
      from: 'localhost',
      by: 'relay.example.org',
      protocol: 'ESMTPSA',
      id: '00KQ1Z3V9ABCDEFG',
      tls: 'TLSv1.3',
      at,
      delay: undefined,
    })
  })
})

describe('receivedChain', () => {
  it('goes from the first hop to the last, with the time each took', () => {
    const hop = (by: string, time: string): string =>
      `Received: by ${by}; 23 Nov 2026 ${time} +0000\r\n`
    const section = [
      hop('c.example.net', '12:00:03'),
      hop('b.example.net', '12:00:10'),
      'Subject: x\r\n',
      'Received: by lost.example.net\r\n',
      hop('a.example.org', '12:00:00'),
    ].join('')
    expect(receivedChain(parseHeader(Buffer.from(section))).map(h => [h.by, h.delay])).toEqual([
      ['a.example.org', undefined],
      ['lost.example.net', undefined],
      ['b.example.net', 10_000],
      // Its clock is behind: the chain says so.
      ['c.example.net', -7_000],
    ])
  })
})
