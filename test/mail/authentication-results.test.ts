import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import {
  AUTH_RESULTS,
  NO_AUTH_RESULTS,
  readAuthenticationResults,
  trustedAuthResults,
} from '../../src/mail/authentication-results.ts'
import { parseHeader } from '../../src/mail/headers.ts'
import { findProvider } from '../../src/mail/provider-table.ts'

const unfold = (text: string): string => text.replaceAll(/\n\s*/g, ' ')

// As delivered, with addresses of the documentation.
const GMAIL = unfold(`mx.google.com;
   dkim=pass header.i=@example.org header.s=sel1 header.b=lhk5qU4z;
   spf=pass (google.com: domain of u@example.org designates 192.0.2.10 as permitted sender) smtp.mailfrom="a=b@example.org";
   dmarc=pass (p=NONE sp=NONE dis=NONE) header.from=example.org`)
const YAHOO = unfold(`atlas206.free.mail.ne1.yahoo.com;
 dkim=unknown header.i=@example.org header.s=default;
 spf=pass smtp.mailfrom=example.org;
 dmarc=pass(p=NONE) header.from=example.org arc_overridden_status=NOT_OVERRIDDEN;`)
const OUTLOOK = unfold(`spf=softfail (sender IP is 192.0.2.10)
 smtp.mailfrom=example.org; dkim=pass (signature was verified)
 header.d=example.org;dmarc=pass action=none
 header.from=example.org;compauth=pass reason=100`)
const OUTLOOK_OLD = unfold(`spf=pass (sender IP is 192.0.2.10)
 smtp.mailfrom=example.org; hotmail.com; dkim=none (message not signed)
 header.d=none;hotmail.com; dmarc=bestguesspass action=none
 header.from=example.org;`)

const results = (value: string): readonly string[] =>
  readAuthenticationResults(value).checks.map(check => `${check.method}=${check.result}`)

describe('readAuthenticationResults', () => {
  it('reads Gmail', () => {
    const header = readAuthenticationResults(GMAIL)
    expect(header.host).toBe('mx.google.com')
    expect(results(GMAIL)).toEqual(['dkim=pass', 'spf=pass', 'dmarc=pass'])
    expect(header.checks[1]?.properties.get('smtp.mailfrom')).toBe('a=b@example.org')
  })

  it('reads Yahoo, which breaks the grammar', () => {
    expect(readAuthenticationResults(YAHOO).host).toBe('atlas206.free.mail.ne1.yahoo.com')
    expect(results(YAHOO)).toEqual(['dkim=other', 'spf=pass', 'dmarc=pass'])
  })

  it('reads Outlook, which names no host, in both of its forms', () => {
    expect(readAuthenticationResults(OUTLOOK).host).toBe('')
    expect(results(OUTLOOK)).toEqual(['spf=softfail', 'dkim=pass', 'dmarc=pass', 'compauth=pass'])
    expect(readAuthenticationResults(OUTLOOK).checks[3]?.properties.get('reason')).toBe('100')
    expect(results(OUTLOOK_OLD)).toEqual(['spf=pass', 'dkim=none', 'dmarc=other'])
  })

  it.each([
    ['mx.example.net 1; none', []],
    ['mx.example.net; spf=hardfail', ['spf=fail']],
    ['mx.example.net; DKIM=Pass; dkim/1=fail', ['dkim=pass', 'dkim=fail']],
    ['mx.example.net; spf = pass (a (b; spf=fail) c)', ['spf=pass']],
    ['mx.example.net; spf=pass (a (b) c; dkim=pass)', ['spf=pass']],
    ['mx.example.net; spf=pass reason="a; dkim=fail"', ['spf=pass']],
    ['mx.example.net; (spf=pass', []],
    ['mx.example.net; spf=', []],
    ['', []],
  ])('reads %s', (value, expected) => {
    expect(results(value)).toEqual(expected)
  })

  it('never fails, and knows only the words of its set', () => {
    const piece = fc.constantFrom(
      'spf',
      'dkim',
      '=',
      'pass',
      ';',
      ' ',
      '(',
      ')',
      '"',
      '\\',
      'x',
      '\u00fc',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), pieces => {
        for (const check of readAuthenticationResults(pieces.join('')).checks) {
          expect(AUTH_RESULTS).toContain(check.result)
          expect(check.result).not.toBe('absent')
        }
      }),
    )
  })
})

describe('trustedAuthResults', () => {
  const ours =
    'from localhost by relay.example.org with ESMTPSA id X; Mon, 23 Nov 2026 12:00:00 +0000'
  const isOurs = (value: string): boolean => value.includes('by relay.example.org')
  const read = (provider: string, ...lines: string[]) =>
    trustedAuthResults(
      parseHeader(Buffer.from(lines.map(line => `${line}\r\n`).join(''))),
      findProvider(provider),
      isOurs,
    )
  const header = (value: string): string => `Authentication-Results: ${value}`

  it('takes what the provider wrote', () => {
    expect(read('gmail', header(GMAIL), `Received: ${ours}`)).toEqual({
      spf: 'pass',
      dkim: 'pass',
      dmarc: 'pass',
    })
    expect(read('yahoo', header(YAHOO), `Received: ${ours}`).spf).toBe('pass')
    expect(read('hotmail', header(OUTLOOK), `Received: ${ours}`).spf).toBe('softfail')
  })

  it('does not take what travelled with the message', () => {
    const forged = header('mx.google.com; spf=pass; dkim=pass; dmarc=pass')
    expect(read('gmail', `Received: ${ours}`, forged)).toEqual(NO_AUTH_RESULTS)
    const real = header('mx.google.com; spf=fail; dkim=fail; dmarc=fail')
    expect(read('gmail', real, `Received: ${ours}`, forged).dmarc).toBe('fail')
    expect(read('gmail', real, forged, `Received: ${ours}`).dmarc).toBe('fail')
  })

  it('does not take what another host wrote', () => {
    const line = `Received: ${ours}`
    expect(read('gmail', header('mx.example.net; spf=pass'), line)).toEqual(NO_AUTH_RESULTS)
    expect(read('gmail', header('evilmx.google.com; spf=pass'), line)).toEqual(NO_AUTH_RESULTS)
    expect(read('gmail', header('spf=pass'), line)).toEqual(NO_AUTH_RESULTS)
    expect(read('hotmail', header('mx.google.com; spf=pass'), line)).toEqual(NO_AUTH_RESULTS)
    expect(read('hotmail', header('mx.google.com.; spf=pass'), line)).toEqual(NO_AUTH_RESULTS)
  })

  it('trusts nothing where our own Received field is missing', () => {
    expect(read('gmail', header(GMAIL))).toEqual(NO_AUTH_RESULTS)
    expect(read('gmail', header(GMAIL), 'Received: by mx.example.net')).toEqual(NO_AUTH_RESULTS)
  })

  it('counts one signature that passes, and does not make absence a failure', () => {
    const two = header(
      'mx.google.com; dkim=fail header.d=example.net; dkim=pass header.d=example.org',
    )
    expect(read('gmail', two, `Received: ${ours}`)).toEqual({
      spf: 'absent',
      dkim: 'pass',
      dmarc: 'absent',
    })
  })

  it('puts together what a provider says in several headers', () => {
    const lines = [
      'spf.icloud.com; spf=pass',
      'dkim-verifier.icloud.com; dkim=fail',
      'dmarc.icloud.com; dmarc=none',
    ]
    expect(read('icloud', ...lines.map(header), `Received: ${ours}`)).toEqual({
      spf: 'pass',
      dkim: 'fail',
      dmarc: 'none',
    })
  })

  it('knows an unlisted provider by the hosts that received the message', () => {
    const hop =
      'Received: from relay.example.org by mx.example.net with ESMTPS id Y; Mon, 23 Nov 2026 12:00:01 +0000'
    for (const provider of ['other', 'nobody']) {
      const value = header('mx.example.net; spf=pass')
      expect(read(provider, value, hop, `Received: ${ours}`).spf).toBe('pass')
      const other = header('mx.example.com; spf=pass')
      expect(read(provider, other, hop, `Received: ${ours}`).spf).toBe('absent')
    }
  })
})
