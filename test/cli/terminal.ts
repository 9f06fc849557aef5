import { spawn } from 'node:child_process'
import { once } from 'node:events'

import { findProgram } from '../support/server-process.ts'

/** Runs a command on a terminal of its own, and answers its question. @returns all that was to be seen */
export async function answerOnTerminal(
  command: string,
  question: RegExp,
  answer: string,
): Promise<string> {
  const child = spawn(findProgram('script') ?? '', ['-qec', command, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let seen = ''
  let asked = false
  child.stdout.on('data', (chunk: Buffer) => {
    seen += String(chunk)
    if (asked || !question.test(seen)) return
    asked = true
    child.stdin.write(answer)
  })
  await once(child, 'close')
  return seen
}
