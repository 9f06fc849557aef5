import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { Secret } from '../../../src/base/secret.ts'
import { Capabilities } from '../../../src/relay/transport/capabilities.ts'
import { ReplyReader } from '../../../src/relay/transport/reply-reader.ts'
import { saslExchange } from '../../../src/relay/transport/sasl.ts'

test('replies come out the same, however the octets are cut', () => {
  const text = '220 hello\r\n250-mx.example.net\r\n250-SIZE 1000\r\n250 Grüße\r\n354\r\n'
  const octets = Buffer.from(text)
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), sizes => {
      const reader = new ReplyReader()
      const replies = []
      for (let at = 0, i = 0; at < octets.length; i++) {
        const end = at + (sizes[i % sizes.length] ?? 1)
        replies.push(...reader.push(octets.subarray(at, end)))
        at = end
      }
      expect(replies.map(({ reply, lines }) => [reply.code, ...lines])).toEqual([
        [220, 'hello'],
        [250, 'mx.example.net', 'SIZE 1000', 'Grüße'],
        [354, ''],
      ])
      expect(reader.partial).toBe(false)
    }),
  )
})

test.each([
  'no code\r\n',
  '250-one\r\n550 two\r\n',
  '199 too low\r\n',
  '600 too high\r\n',
  '2500 OK\r\n',
  '\r\n',
  `250 ${'x'.repeat(5_000)}`,
  `250 ${'x'.repeat(5_000)}\r\n`,
  '250-endless\r\n'.repeat(10_000),
])('what is no reply is a fault: %#', text => {
  expect(() => new ReplyReader().push(Buffer.from(text))).toThrow()
})

test('a reply that never ends is cut short, also when it comes octet by octet', () => {
  const reader = new ReplyReader()
  let taken = 0
  const drip = (): void => {
    for (; taken < 100_000; taken++) reader.push(Buffer.from('2'))
  }
  expect(drip).toThrow()
  expect(taken).toBeLessThan(5_000)
})

describe('what a server offers', () => {
  const offered = Capabilities.read([
    'mx',
    'size 1000',
    'AUTH plain LOGIN',
    'AUTH=OLD',
    '%%%',
    'DSN',
  ])

  test('is read without case, the first mention counts, nonsense does not', () => {
    expect([offered.has('SIZE'), offered.has('DSN'), offered.has('MX')]).toEqual([
      true,
      true,
      false,
    ])
    expect(offered.mechanisms).toEqual(['PLAIN', 'LOGIN'])
    expect(offered.sizeLimit).toBe(1_000)
  })

  test.each(['SIZE', 'SIZE 0', 'SIZE many'])('%s names no limit', line => {
    expect(Capabilities.read(['mx', line]).sizeLimit).toBeUndefined()
  })
})

test('a long password goes after the empty challenge, since a command line has an end', () => {
  const credentials = { user: 'relay', password: new Secret('x'.repeat(500)) }
  const exchange = saslExchange(['LOGIN', 'PLAIN'], credentials)
  expect(exchange?.command).toBe('AUTH PLAIN')
  expect(exchange?.answers).toHaveLength(1)
  expect(saslExchange(['CRAM-MD5'], credentials)).toBeUndefined()
})
