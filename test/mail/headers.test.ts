import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import {
  HeaderScanner,
  MAX_FIELDS,
  MAX_HEADER,
  parseHeader,
  splitMessage,
  valuesOf,
} from '../../src/mail/headers.ts'

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')

describe('splitMessage', () => {
  it.each([
    ['A: b\r\n\r\nbody', 'A: b\r\n', 'body', true],
    ['A: b\n\nbody', 'A: b\n', 'body', true],
    ['A: b\r\n', 'A: b\r\n', '', true],
    ['A: b', 'A: b', '', true],
    ['\r\nbody', '', 'body', false],
    ['', '', '', false],
    ['Hello,\r\nhow are you?\r\n\r\nAlice', 'Hello,\r\nhow are you?\r\n', 'Alice', false],
    [' A: b\r\n\r\nbody', ' A: b\r\n', 'body', false],
    ['A : b\r\n\r\n', 'A : b\r\n', '', true],
  ])('cuts %j at its first empty line', (raw, header, body, hasHeader) => {
    const split = splitMessage(bytes(raw))
    expect([split.header.toString(), split.body.toString(), split.hasHeader]).toEqual([
      header,
      body,
      hasHeader,
    ])
  })
})

describe('parseHeader', () => {
  it('unfolds values and keeps the octets of each field', () => {
    const section = 'Subject: one\r\n two\r\n\tthree\r\nFROM : x\r\n'
    const fields = parseHeader(bytes(section))
    expect(fields.map(f => [f.name, f.value])).toEqual([
      ['subject', 'one two\tthree'],
      ['from', 'x'],
    ])
    expect(Buffer.concat(fields.map(f => f.raw)).toString()).toBe(section)
    expect(valuesOf(fields, 'from')).toEqual(['x'])
  })

  it('reads UTF-8 where it is, and Latin-1 where it is not', () => {
    expect(parseHeader(Buffer.from('Subject: grüße\r\n'))[0]?.value).toBe('grüße')
    expect(parseHeader(Buffer.from('Subject: ü\ufffd\r\n'))[0]?.value).toBe('ü\ufffd')
    expect(parseHeader(bytes('Subject: gr\u00fc\u00dfe\r\n'))[0]?.value).toBe('grüße')
  })

  it.each([
    'no colon\r\n',
    ': no name\r\n',
    'Fr\u00f6m: x\r\n',
    'From\u0000: x\r\n',
    ' folded: x\r\n',
  ])('gives %j no name', line => {
    expect(parseHeader(bytes(`${line}To: x\r\n`)).map(f => f.name)).toEqual(['', 'to'])
  })

  it('ends at the empty line', () => {
    expect(parseHeader(bytes('A: 1\r\n\r\nB: 2\r\n')).map(f => f.name)).toEqual(['a'])
  })

  it('shows that it has not read everything', () => {
    const many = parseHeader(bytes('A:\r\n'.repeat(MAX_FIELDS + 1)))
    expect(many).toHaveLength(MAX_FIELDS + 1)
    expect(many.at(-1)?.name).toBe('')
    const long = parseHeader(bytes(`A: ${'x'.repeat(MAX_HEADER)}\r\nFrom: x\r\n`))
    expect(long.at(-1)?.name).toBe('')
    expect(parseHeader(bytes('A:\r\n'.repeat(MAX_FIELDS))).at(-1)?.name).toBe('a')
  })

  it('loses no octet of any section', () => {
    const line = fc.constantFrom('A: b', ' folded', '\t', 'x', 'From : a', ':', 'B:\r', '\u00e4')
    fc.assert(
      fc.property(fc.array(line), fc.constantFrom('\r\n', '\n'), (lines, end) => {
        const section = bytes(lines.map(each => each + end).join(''))
        expect(Buffer.concat(parseHeader(section).map(f => f.raw))).toEqual(section)
      }),
    )
  })
})

describe('HeaderScanner', () => {
  const message = 'Received: a\r\nReceived: b\r\n c\r\nSubject: x\r\n\r\nbody\r\n\r\nmore'

  it('tells the header from the body however the message is cut', () => {
    const pieces = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 100, maxLength: 100 })
    const source = fc.constantFrom(
      message,
      message.replaceAll('\r\n', '\n'),
      '\r\nbody',
      'A: b\r\n',
    )
    fc.assert(
      fc.property(source, pieces, (source, sizes) => {
        const raw = bytes(source)
        const scanner = new HeaderScanner()
        const body: Buffer[] = []
        let at = 0
        for (const size of sizes) {
          body.push(Buffer.from(scanner.push(raw.subarray(at, at + size))))
          at += size
        }
        scanner.end()
        const whole = splitMessage(raw)
        expect(scanner.state).toBe('ended')
        expect(scanner.header.toString()).toBe(whole.header.toString())
        expect(Buffer.concat(body).toString()).toBe(whole.body.toString())
        expect(scanner.hasHeader).toBe(whole.hasHeader)
      }),
    )
  })

  it('counts the hops', () => {
    const scanner = new HeaderScanner()
    expect(scanner.push(bytes(message)).toString()).toBe('body\r\n\r\nmore')
    expect(scanner.received).toBe(2)
  })

  it.each([10, 3_000, 40_000])('holds a long header that comes in chunks of %i', size => {
    const header = Array.from({ length: 2_000 }, (_, n) => `X-Field: ${n}\r\n`).join('')
    const raw = bytes(`${header}\r\nbody`)
    const scanner = new HeaderScanner()
    let body = ''
    for (let at = 0; at < raw.length; at += size) {
      body += scanner.push(raw.subarray(at, at + size)).toString()
    }
    expect(scanner.header.toString()).toBe(header)
    expect(body).toBe('body')
  })

  it('keeps nothing of a chunk that is not its own', () => {
    const scanner = new HeaderScanner()
    const chunk = bytes('A: b\r\n')
    scanner.push(chunk)
    chunk.fill(0)
    scanner.end()
    expect(scanner.header.toString()).toBe('A: b\r\n')
  })

  it('stops at its limit, with a chunk or in many, and holds no more than that', () => {
    const one = new HeaderScanner(100)
    one.push(bytes('A: b\r\n'.repeat(20)))
    expect(one.state).toBe('too-large')
    const many = new HeaderScanner(100)
    for (let i = 0; i < 20; i++) many.push(bytes('xxxxxxxxxx'))
    expect(many.state).toBe('too-large')
    expect(many.header.length).toBeLessThanOrEqual(100)
    many.end()
    expect(many.state).toBe('too-large')
  })
})
