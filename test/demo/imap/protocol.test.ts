import fc from 'fast-check'
import { expect, test } from 'vitest'

import { CommandReader } from '../../../src/demo/imap/command-reader.ts'
import { tokenize, type CommandPart } from '../../../src/demo/imap/tokenizer.ts'
import { dateTime, inSet, nstring, parseDate } from '../../../src/demo/imap/wire.ts'

function read(chunks: readonly Buffer[]): { commands: CommandPart[][]; goAheads: number } {
  const commands: CommandPart[][] = []
  let goAheads = 0
  const reader = new CommandReader(
    parts => commands.push([...parts]),
    () => (goAheads += 1),
  )
  for (const chunk of chunks) reader.push(chunk)
  return { commands, goAheads }
}

const STREAM = Buffer.from(
  'a1 LOGIN {4}\r\nseed "pass word"\r\na2 SELECT {5+}\r\nINBOX\r\na3 APPEND Junk {0}\r\n\r\n',
)

test('commands come out the same however they are cut on the way', () => {
  const whole = read([STREAM])
  expect(whole.commands).toStrictEqual([
    ['a1 LOGIN ', Buffer.from('seed'), ' "pass word"'],
    ['a2 SELECT ', Buffer.from('INBOX'), ''],
    ['a3 APPEND Junk ', Buffer.from(''), ''],
  ])
  // RFC 7888: a literal with a plus sign waits for nobody.
  expect(whole.goAheads).toBe(2)
  fc.assert(
    fc.property(fc.array(fc.nat(STREAM.length), { maxLength: 20 }), cuts => {
      const places = [0, ...[...cuts].sort((a, b) => a - b), STREAM.length]
      const chunks = places.slice(1).map((end, index) => STREAM.subarray(places[index], end))
      expect(read(chunks)).toStrictEqual(whole)
    }),
  )
})

test('a line, a literal or a command without measure is cut off', () => {
  const reader = (): CommandReader =>
    new CommandReader(
      () => undefined,
      () => undefined,
    )
  expect(() => reader().push(Buffer.alloc(70_000, 'a'))).toThrow(RangeError)
  expect(() => reader().push(Buffer.from('a LOGIN {9999999999}\r\n'))).toThrow(RangeError)
  const greedy = reader()
  const megabyte = Buffer.concat([Buffer.from('{1048576+}\r\n'), Buffer.alloc(1_048_576)])
  greedy.push(megabyte)
  expect(() => {
    greedy.push(megabyte)
    greedy.push(megabyte)
  }).toThrow(RangeError)
})

test('words, strings, literals and lists are told apart', () => {
  expect(
    tokenize([
      'a FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (From "To")]<0.9> (x)) "a \\"b\\" \\\\ c" ',
      Buffer.from('l (i) t'),
    ]),
  ).toStrictEqual([
    'a',
    'FETCH',
    '1:*',
    ['UID', 'BODY.PEEK[HEADER.FIELDS (From "To")]<0.9>', ['x']],
    String.raw`a "b" \ c`,
    'l (i) t',
  ])
})

test.each(['a (b', 'a b)', 'a "b', '('.repeat(100) + ')'.repeat(100)])(
  '%s is refused as no command',
  text => {
    expect(() => tokenize([text])).toThrow()
  },
)

test('rubbish is refused or read, and always at once', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), text => {
      try {
        tokenize([text])
      } catch (error) {
        expect((error as Error).name).toBe('Error')
      }
    }),
  )
})

test('a set that ends in a star includes the last number, even where that is below its start', () => {
  expect([1, 2, 3, 4].filter(number => inSet('2:3', number, 4))).toStrictEqual([2, 3])
  expect([1, 2, 3, 4].filter(number => inSet('9:*', number, 4))).toStrictEqual([4])
  expect([1, 2, 3, 4].filter(number => inSet('1,3:*', number, 4))).toStrictEqual([1, 3, 4])
  expect([1, 2].filter(number => inSet('rubbish', number, 2))).toStrictEqual([])
})

test('dates are written and read in whole seconds', () => {
  expect(dateTime(Date.UTC(2026, 0, 2, 3, 4, 5, 999))).toBe('"02-Jan-2026 03:04:05 +0000"')
  expect(parseDate('02-Jan-2026 03:04:05 +0100')).toBe(Date.UTC(2026, 0, 2, 2, 4, 5))
  expect(parseDate('2-Jan-2026')).toBe(Date.UTC(2026, 0, 2))
  expect(parseDate('yesterday')).toBeNaN()
})

test('a text that cannot be quoted becomes a literal of its octets', () => {
  expect(nstring(undefined)).toBe('NIL')
  expect(nstring(String.raw`a "b" \ c`)).toBe(String.raw`"a \"b\" \\ c"`)
  expect(nstring('Grüße')).toBe(`{7}\r\n${Buffer.from('Grüße').toString('latin1')}`)
})
