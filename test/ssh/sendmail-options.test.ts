import { expect, test } from 'vitest'

import { readSendmailOptions } from '../../src/ssh/sendmail-options.ts'
import { Exit } from '../../src/ssh/sysexits.ts'

function read(line: string) {
  return readSendmailOptions(line.split(' ').filter(word => word !== ''))
}

test('reads the options of a sendmail, apart from or together with their values', () => {
  const expected = {
    recipientsFromHeader: true,
    ignoreDots: true,
    sender: 'alice@example.org',
    fullName: 'Alice',
    notify: 'FAILURE,DELAY',
    ret: 'HDRS',
    envelopeId: 'id-1',
    recipients: ['bob@example.net', '-carol@example.net'],
  }
  expect(
    read(
      '-t -oi -bm -f alice@example.org -F Alice -N failure,delay -R hdrs -V id-1 bob@example.net -- -carol@example.net',
    ),
  ).toEqual(expected)
  expect(
    read(
      '-ti -oem -B8BITMIME -falice@example.org -FAlice -Nfailure,delay -RHDRS -Vid-1 bob@example.net -- -carol@example.net',
    ),
  ).toEqual(expected)
})

test('takes what programs say and nobody needs', () => {
  // cron, mail(1), mutt, git send-email
  for (const line of [
    '-FCronDaemon -i -odi -oem -oi -t',
    '-oem -oi -B 8BITMIME',
    '-i -v -m -U -G',
  ]) {
    expect(read(`${line} a@example.net`).recipients).toEqual(['a@example.net'])
  }
  expect(read('-N never').notify).toBe('NEVER')
  expect(read('-f <> a@example.net').sender).toBe('')
})

test.each([
  '-bs',
  '-bd',
  '-bp',
  '-q',
  '-C /etc/x',
  '-tx',
  '-z',
  '-f',
  '-N',
  '-N sometimes',
  '-N never,failure',
  '-R half',
  '--as bob',
])('refuses %s', line => {
  expect(() => read(line)).toThrow(Exit)
  expect(() => read(line)).toThrow(expect.objectContaining({ code: 64 }))
})
