import { SUBMIT_SOCKET } from '../base/submit-socket.ts'
import { isAscii } from '../mail/address.ts'
import { formatReply, printable, type Reply } from '../mail/reply.ts'
import { encodeXtext } from '../mail/xtext.ts'
import { DotStuffer } from '../relay/transport/dot-stuffing.ts'
import { commandWords } from './command-words.ts'
import { readMessage, type MessageInput } from './message-input.ts'
import { exitOfReply, RelaySocket } from './relay-socket.ts'
import { fromField, recipientsOf, senderOf } from './sendmail-envelope.ts'
import { readSendmailOptions, type SendmailOptions } from './sendmail-options.ts'
import { EX, Exit } from './sysexits.ts'

/** What surrounds a program that sshd has started. */
export interface SshProcess {
  readonly input: AsyncIterable<Uint8Array>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly say: (line: string) => void
  /** Resolves to whether whoever gave the message is still there; asked when it has ended. */
  readonly senderIsThere: () => Promise<boolean>
}

/** What our own options say, before those of a sendmail. */
interface Submission {
  readonly login: string
  readonly socket: string
  readonly options: SendmailOptions
}

/**
 * `mailcanary sendmail --as LOGIN`: submits a message from standard input as a login, by the relay's Unix socket, and prints
 * its queue id.
 *
 * @throws Exit with the code of sysexits.h and a sentence
 */
export async function sendmail(args: readonly string[], ssh: SshProcess): Promise<void> {
  const { login, socket, options } = readArguments(args, ssh.env)
  const message = await readMessage(ssh.input, options.ignoreDots)
  const recipients = recipientsOf(options, message.fields)
  const sender = senderOf(options, message.fields, login)
  const relay = await RelaySocket.open(socket)
  try {
    await enter(relay, login)
    const own = sender === undefined ? await ownAddress(relay, login) : sender
    const header = headerOf(message, options, own)
    await announce(relay, own, recipients, options, header)
    await content(relay, header, message, ssh)
    const { text } = await relay.expect(250, exitOfContent)
    ssh.say(/[0-9A-Z]{16}$/.exec(text)?.[0] ?? text)
  } finally {
    relay.close()
  }
}

function readArguments(args: readonly string[], env: SshProcess['env']): Submission {
  let login: string | undefined
  let socket = SUBMIT_SOCKET
  let forced = false
  const rest = [...args]
  for (;;) {
    if (rest[0] === '--as') login = rest.splice(0, 2)[1]
    else if (rest[0] === '--socket') socket = rest.splice(0, 2)[1] ?? ''
    else if (rest[0] === '--ssh') forced = rest.shift() !== undefined
    else break
  }
  if (login === undefined || socket === '') {
    throw new Exit(EX.usage, 'say who sends: mailcanary sendmail --as LOGIN [--socket PATH] -t')
  }
  const words = forced ? askedBySsh(env['SSH_ORIGINAL_COMMAND']) : rest
  return { login, socket, options: readSendmailOptions(words) }
}

/** The words behind `sendmail` of the command that somebody wanted sshd to run. */
function askedBySsh(command: string | undefined): readonly string[] {
  const words = commandWords(command ?? '')
  const [program, ...args] = words ?? []
  if (program !== undefined && /^(?:\/usr\/(?:sbin|lib|bin)\/)?sendmail$/.test(program)) return args
  const why = words === undefined ? 'there is no shell here; ' : ''
  throw new Exit(EX.usage, `${why}say: sendmail -t, or: sendmail -- bob@example.net`)
}

async function enter(relay: RelaySocket, login: string): Promise<void> {
  await relay.write('EHLO localhost\r\n')
  await relay.expect(250)
  await relay.write(`AUTH EXTERNAL ${Buffer.from(login).toString('base64') || '='}\r\n`)
  await relay.expect(235, reply => (reply.code === 535 ? EX.noPerm : exitOfReply(reply)))
}

async function ownAddress(relay: RelaySocket, login: string): Promise<string> {
  const reply = await relay.ask(`VRFY ${login}`)
  const address = reply.code === 250 ? /^<(.+)>$/.exec(reply.text)?.[1] : undefined
  if (address !== undefined) return address
  throw new Exit(EX.noPerm, `${login} has no address to send as; name one with -f`)
}

function headerOf(message: MessageInput, options: SendmailOptions, own: string): Buffer {
  const pieces: Uint8Array[] = []
  const { fields } = message
  if (!fields.some(({ name }) => name === 'from') && own !== '') {
    pieces.push(Buffer.from(fromField(own, options.fullName)))
  }
  pieces.push(...fields.map(({ raw }) => raw))
  const lacksEnd = fields.length > 0 && fields.at(-1)?.raw.at(-1) !== 10
  pieces.push(Buffer.from(lacksEnd ? '\r\n\r\n' : '\r\n'))
  return Buffer.concat(pieces)
}

/** MAIL, RCPT and DATA. All recipients or none: an exit code can only say one thing. */
async function announce(
  relay: RelaySocket,
  sender: string,
  recipients: readonly string[],
  { notify, ret, envelopeId }: SendmailOptions,
  header: Buffer,
): Promise<void> {
  const utf8 = header.some(octet => octet > 127) || ![sender, ...recipients].every(isAscii)
  const parameters = [
    'BODY=8BITMIME',
    ...(utf8 ? ['SMTPUTF8'] : []),
    ...(ret === undefined ? [] : [`RET=${ret}`]),
    ...(envelopeId === undefined ? [] : [`ENVID=${encodeXtext(envelopeId)}`]),
  ]
  await relay.write(`MAIL FROM:<${sender}> ${parameters.join(' ')}\r\n`)
  await relay.expect(250, reply => (reply.code === 550 ? EX.noPerm : exitOfReply(reply)))
  const refused: { readonly recipient: string; readonly reply: Reply }[] = []
  for (const recipient of recipients) {
    const asked = notify === undefined ? '' : ` NOTIFY=${notify}`
    const reply = await relay.ask(`RCPT TO:<${recipient}>${asked}`)
    if (reply.code !== 250) refused.push({ recipient, reply })
  }
  const [first] = refused
  if (first !== undefined) {
    const words = refused.map(({ recipient, reply }) => `${recipient}: ${formatReply(reply)}`)
    throw new Exit(exitOfRecipient(first.reply), `nothing was sent: ${words.join('; ')}`)
  }
  await relay.write('DATA\r\n')
  await relay.expect(354)
}

async function content(
  relay: RelaySocket,
  header: Buffer,
  { body }: MessageInput,
  ssh: SshProcess,
): Promise<void> {
  const stuffer = new DotStuffer()
  await relay.write(stuffer.push(header))
  for await (const chunk of body) await relay.write(stuffer.push(chunk))
  if (!(await ssh.senderIsThere())) {
    throw new Exit(
      EX.tempFail,
      'the connection ended in the middle of the message: nothing was sent',
    )
  }
  await relay.write(stuffer.end())
}

function exitOfRecipient(reply: Reply): number {
  if (reply.enhanced === '4.5.3') return EX.unavailable
  if (reply.code < 500) return EX.tempFail
  return reply.enhanced === '5.5.4' || reply.enhanced === '5.1.2' ? EX.noHost : EX.noUser
}

function exitOfContent(reply: Reply): number {
  if (reply.enhanced === '5.7.1') return EX.noPerm
  return reply.enhanced.startsWith('5.6.') ? EX.dataErr : exitOfReply(reply)
}

/** What goes to standard error for an Exit. */
export function complaintOf({ message }: Exit): string {
  return `sendmail: ${printable(message)}`
}
