import { SUBMIT_SOCKET } from '../base/submit-socket.ts'
import { fingerprintOf, isFingerprint } from '../directory/ssh-key.ts'
import { RelaySocket } from './relay-socket.ts'
import { EX, Exit } from './sysexits.ts'

interface Question {
  readonly fingerprint: string
  /** The account that somebody wants to log in to, %u; undefined where sshd did not say. */
  readonly account: string | undefined
}

// A key is looked up in memory. While sshd waits for it, one of the few places for people who have not logged in yet is taken
// (MaxStartups), and after LoginGraceTime, two minutes, it would give up itself.
const PATIENCE = 10_000

// Stands in a command line that a shell reads: a login with any other character has to use its password.
const PLAIN_LOGIN = /^[a-z0-9_][a-z0-9._+-]{0,63}$/
const PLAIN_PATH = /^\/[A-Za-z0-9._+/-]+$/
const KEY = /^(?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}$/

/**
 * `mailcanary authorized-keys %u %f`: what sshd asks, for each key that somebody offers. Prints one line of authorized_keys that
 * allows nothing but `sendmail` as the key's owner, or nothing.
 *
 * @param program path of our own program, for the forced command
 * @throws Exit where the relay cannot be asked
 */
export async function authorizedKeys(
  args: readonly string[],
  program: string,
  say: (line: string) => void,
  patience = PATIENCE,
): Promise<void> {
  const { socket, account: expected, command, rest } = readOptions(args, program)
  const { fingerprint, account } = readQuestion(rest)
  // In sshd_config outside of a Match block the command is asked about every account of the host, root among them.
  if (account !== undefined && account !== expected) return
  const relay = await RelaySocket.open(socket, patience)
  try {
    const reply = await relay.ask(`XKEY ${fingerprint}`)
    if (reply.code === 550) return
    if (reply.code !== 250) throw new Exit(EX.tempFail, `the relay: ${reply.text}`)
    const space = reply.text.indexOf(' ')
    const login = reply.text.slice(0, space)
    const key = reply.text.slice(space + 1)
    if (!KEY.test(key) || !PLAIN_LOGIN.test(login)) return
    const where = socket === SUBMIT_SOCKET ? '' : ` --socket ${socket}`
    say(`restrict,command="exec ${command} sendmail --ssh --as ${login}${where}" ${key}`)
  } finally {
    relay.close()
  }
}

function readOptions(args: readonly string[], program: string) {
  const options = { socket: SUBMIT_SOCKET, account: 'submit', command: program }
  const rest = [...args]
  for (;;) {
    if (rest[0] === '--socket') options.socket = rest.splice(0, 2)[1] ?? ''
    else if (rest[0] === '--account') options.account = rest.splice(0, 2)[1] ?? ''
    else if (rest[0] === '--command') options.command = rest.splice(0, 2)[1] ?? ''
    else break
  }
  for (const path of [options.socket, options.command]) {
    if (!PLAIN_PATH.test(path)) {
      throw new Exit(EX.usage, `${path}: not a full path of letters, digits and ._+-`)
    }
  }
  return { ...options, rest }
}

/** The tokens of sshd_config, told by their form: %f, or %t and %k; and %u. */
function readQuestion(args: readonly string[]): Question {
  const fingerprint = args.find(isFingerprint)
  const key = args.find(arg => /^AAAA[A-Za-z0-9+/]+={0,2}$/.test(arg))
  const found = fingerprint ?? (key && fingerprintOf(Buffer.from(key, 'base64')))
  if (found === undefined) {
    throw new Exit(
      EX.usage,
      'say which key: AuthorizedKeysCommand /usr/bin/mailcanary authorized-keys %u %f',
    )
  }
  const account = args.find(
    arg => arg !== fingerprint && arg !== key && !/^(?:sk-)?(?:ssh|ecdsa)-/.test(arg),
  )
  return { fingerprint: found, account }
}
