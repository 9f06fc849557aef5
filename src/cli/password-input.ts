import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'

import { Problem } from '../base/problem.ts'

const LONGEST = 512

/**
 * A password from the terminal, without showing it, or the first line of standard input where there is none. Never an
 * argument: the process list is for everybody to read.
 */
export async function readPassword(question: string): Promise<string> {
  const { stdin, stderr } = process
  if (stdin.isTTY) stderr.write(`${question}: `)
  // What is typed is shown by readline, not by the terminal.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: stdin, output: nowhere, terminal: stdin.isTTY })
  try {
    for await (const line of lines) {
      if (line === '' || Buffer.byteLength(line) > LONGEST) break
      return line
    }
    throw new Problem(`no password was given, or one of more than ${LONGEST} octets`)
  } finally {
    lines.close()
    if (stdin.isTTY) stderr.write('\n')
  }
}
