import { expect, test } from 'vitest'

import { commandWords } from '../../src/ssh/command-words.ts'

test.each([
  ['sendmail -t', ['sendmail', '-t']],
  ["  sendmail\t-F 'A. Lice'  -- ", ['sendmail', '-F', 'A. Lice', '--']],
  [String.raw`sendmail "o\"brien"@example.net a\ b`, ['sendmail', 'o"brien@example.net', 'a b']],
  ["sendmail -f ''", ['sendmail', '-f', '']],
  [`sendmail '"$(id)"@example.net'`, ['sendmail', '"$(id)"@example.net']],
  ['', []],
])('%s', (line, words) => {
  expect(commandWords(line)).toEqual(words)
})

test.each([
  'sendmail -t; id',
  'sendmail -t | sh',
  'sendmail $(id)',
  'sendmail `id`',
  'sendmail $HOME',
  'sendmail -t > /tmp/x',
  'sendmail -t\nid',
  'sendmail -t & id',
  "sendmail 'open",
  'sendmail "open',
  'sendmail open\\',
  'sendmail *@example.net',
])('means nothing without a shell: %s', line => {
  expect(commandWords(line)).toBeUndefined()
})
