import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { submit, type Submission } from '../../src/probe/sender.ts'
import { scratchFolder } from '../support/scratch.ts'

const MESSAGE = Buffer.from('Subject: x\r\n\r\nGr\u00fc\u00dfe\r\n.\r\n', 'utf8')

async function hand(
  script: string,
  options: {
    readonly args?: readonly string[]
    readonly within?: number
    readonly signal?: AbortSignal
  } = {},
): Promise<{ readonly submission: Submission; readonly folder: string }> {
  const folder = await scratchFolder()
  const path = join(folder, 'program')
  await writeFile(path, `#!/bin/sh\ncd ${folder}\n${script}\n`, { mode: 0o755 })
  const submission = await submit({
    origin: {
      name: 'lists',
      from: 'canary@example.org',
      command: [path, ...(options.args ?? ['-f', '{from}', '--', '{to}'])],
    },
    to: 'seed@example.net',
    message: MESSAGE,
    signal: options.signal ?? new AbortController().signal,
    clock: () => 1234,
    within: options.within ?? 20_000,
  })
  return { submission, folder }
}

test('a program gets the addresses as words and the message on standard input, with lines that end in LF', async () => {
  const { submission, folder } = await hand(
    'cat > message; for word; do echo "$word" >> words; done; echo queued as 4XyZ1a2B3cz9',
  )
  expect(submission).toEqual({ kind: 'submitted', at: 1234, queueId: '4XyZ1a2B3cz9' })
  expect(await readFile(join(folder, 'words'), 'utf8')).toBe(
    '-f\ncanary@example.org\n--\nseed@example.net\n',
  )
  expect(await readFile(join(folder, 'message'))).toEqual(
    Buffer.from('Subject: x\n\nGr\u00fc\u00dfe\n.\n', 'utf8'),
  )
})

test('no shell reads the words, and nothing of our environment is given', async () => {
  process.env['MAILCANARY_TEST_SECRET'] = 'SECRET'
  const { folder } = await hand('cat > /dev/null; echo "$1" > words; env > environment', {
    args: ['$(touch pwned); {to}'],
  })
  delete process.env['MAILCANARY_TEST_SECRET']
  expect(await readFile(join(folder, 'words'), 'utf8')).toBe('$(touch pwned); seed@example.net\n')
  expect(await readFile(join(folder, 'environment'), 'utf8')).not.toContain('SECRET')
})

test.each([
  ['exit 75', 'exit 75, temporary failure'],
  ['echo "no such list" >&2; exit 67', 'exit 67, no such user: no such list'],
  ['exit 3', 'exit 3'],
  ['kill -KILL $$', 'killed'],
])('"%s" is a refusal, and why is kept', async (script, text) => {
  const { submission } = await hand(script)
  expect(submission).toEqual({
    kind: 'rejected',
    cause: 'refused',
    reply: { code: 0, enhanced: '', text },
  })
})

test('a program that is not there is unreachable, and one that hangs is a timeout', async () => {
  const origin = { name: 'lists', from: 'canary@example.org', command: ['/nonexistent/sendmail'] }
  const options = {
    to: 'seed@example.net',
    message: MESSAGE,
    signal: new AbortController().signal,
    clock: Date.now,
  }
  expect(await submit({ ...options, origin })).toMatchObject({
    cause: 'unreachable',
    reply: { text: 'there is no program /nonexistent/sendmail' },
  })
  expect((await hand('exec sleep 60', { within: 200 })).submission).toMatchObject({
    cause: 'timeout',
  })
})

test('a submission that is given up throws: nobody knows what became of it', async () => {
  const gaveUp = AbortSignal.timeout(100)
  await expect(hand('exec sleep 60', { signal: gaveUp })).rejects.toThrow()
})
