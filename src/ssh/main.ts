import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { messageOf } from '../base/problem.ts'
import { authorizedKeys } from './authorized-keys.ts'
import { SSH_HELP, type SshCommand } from './help.ts'
import { complaintOf, sendmail } from './sendmail.ts'
import { EX, Exit } from './sysexits.ts'

// Milliseconds in which an sshd that has lost its client is gone: it closes the pipe in the same breath as it ends.
const LAST_BREATH = 15

/**
 * `authorized-keys` and `sendmail` start for every mail: they load next to nothing, and never open the state.
 *
 * @returns the exit code, one of sysexits.h
 */
export async function runForSsh(name: SshCommand, args: readonly string[]): Promise<number> {
  const parent = process.ppid
  const { env, stdin, stdout, stderr } = process
  const say = (line: string): void => void stdout.write(`${line}\n`)
  try {
    if (args[0] === '--help') say(SSH_HELP[name])
    else if (name === 'authorized-keys') {
      await authorizedKeys(
        args,
        fileURLToPath(new URL('../../bin/mailcanary', import.meta.url)),
        say,
      )
    } else {
      await sendmail(args, {
        input: stdin,
        env,
        say,
        // Half a message ends like a whole one: with the end of the input.
        senderIsThere: async () => {
          if (env['SSH_CONNECTION'] === undefined) return true
          await delay(LAST_BREATH)
          return process.ppid === parent
        },
      })
    }
    return EX.ok
  } catch (error) {
    if (error instanceof Exit) {
      stderr.write(`${complaintOf(error)}\n`)
      return error.code
    }
    stderr.write(`mailcanary ${name}: this should not happen: ${messageOf(error)}\n`)
    return EX.software
  } finally {
    // What is left of a message that was refused is not waited for.
    stdin.destroy()
  }
}
