import { runCommand } from '../../src/cli/command.ts'

export interface Said {
  readonly code: number
  /** Standard output and standard error, as on a terminal. */
  readonly output: string
}

/** Runs a command line in this process, as the program's edge does. One at a time: it listens to what is printed. */
export async function commandLine(...args: readonly string[]): Promise<Said> {
  const before = [process.stdout.write, process.stderr.write] as const
  let output = ''
  const listen = (chunk: string | Uint8Array): boolean => {
    output += String(chunk)
    return true
  }
  process.stdout.write = listen
  process.stderr.write = listen
  try {
    const code = await runCommand(args, '0.0.0')
    return { code, output: output.trimEnd() }
  } finally {
    process.stdout.write = before[0]
    process.stderr.write = before[1]
  }
}
