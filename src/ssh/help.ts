import { SUBMIT_SOCKET } from '../base/submit-socket.ts'

export type SshCommand = 'authorized-keys' | 'sendmail'

/** What the two programs that sshd starts say of themselves. */
export const SSH_HELP: Readonly<Record<SshCommand, string>> = {
  'authorized-keys': `Usage: mailcanary authorized-keys [--socket PATH] [--account NAME] [--command PATH] TOKENS

For OpenSSH's AuthorizedKeysCommand: prints the line of authorized_keys for a key of the directory, which allows nothing
but mailcanary sendmail as the key's owner; prints nothing for any other key. It asks the running relay and opens no file.

  TOKENS           of sshd_config: %u %f, or %u %t %k
  --socket PATH    listen.ssh.socket of relay.yaml (default: ${SUBMIT_SOCKET})
  --account NAME   answer for this account of the host only, where %u is given (default: submit)
  --command PATH   the program that the key may start (default: this one)

Exit code: 0, also for a key that nobody has; 64 for a wrong command line, 75 if no relay can be asked, 77 if this user may
not ask it.

Example, in /etc/ssh/sshd_config:
  AuthorizedKeysCommand /usr/bin/mailcanary authorized-keys %u %f`,
  sendmail: `Usage: mailcanary sendmail --as LOGIN [--socket PATH] [OPTIONS] [RECIPIENT...] < message

Submits a message as a login, with the policy and the limits of the submission port, and prints its queue id. All
recipients or none. As a rule sshd starts it, as mailcanary authorized-keys tells it to.

  --as LOGIN       who sends
  --socket PATH    listen.ssh.socket of relay.yaml (default: ${SUBMIT_SOCKET})
  --ssh            take the options that follow from SSH_ORIGINAL_COMMAND instead, which begins with sendmail
  -t               the recipients are those of To, Cc and Bcc as well
  -i, -oi          a line with nothing but a dot does not end the message
  -f ADDRESS       the sender of the envelope (default: that of Sender or From, or the login's own); <> is nobody
  -F NAME          the full name, for a message without From
  -N WHEN          never, or some of success,failure,delay: when a report comes back (RFC 3461)
  -R full|hdrs     how much of the message comes back with a report
  -V ID            what a report is to call the message
  --               recipients only from here on
  -bm and other options of a sendmail that mean nothing here are taken and ignored; what is unknown is refused.

Exit code, of sysexits.h: 0 queued (its id is printed), 64 wrong command line, 65 not a message, 67 and 68 wrong recipient,
69 refused, 75 not now (try again later), 77 this login may not send, or not as this sender.

Example:
  ssh submit@relay.example.org sendmail -t < message.eml`,
}
