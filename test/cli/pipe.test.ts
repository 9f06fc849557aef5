import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { expect, test } from 'vitest'

test('a reader that has read enough is no fault: nothing is said, and the exit code is that of SIGPIPE', async () => {
  const program = `"${process.execPath}" dist/main.js`
  const { stdout, stderr } = await promisify(execFile)('bash', [
    '-c',
    `${program} queue list --help | true; echo "\${PIPESTATUS[0]}"`,
  ])
  expect(stderr).toBe('')
  expect(stdout).toBe('141\n')
})
