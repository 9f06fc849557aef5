import type { Reply } from '../../mail/reply.ts'

/** A reply of our own. */
export function reply(code: number, enhanced: string, text: string): Reply {
  return { code, enhanced, text }
}

// RFC 5321 section 4.2.3 and RFC 3463. A shortage or fault of ours is always 4xx.

export const OK = reply(250, '2.0.0', 'OK')
export const RESET = reply(250, '2.0.0', 'Forgotten')
export const SENDER_OK = reply(250, '2.1.0', 'Sender OK')
export const RECIPIENT_OK = reply(250, '2.1.5', 'Recipient OK')
export const SEND_DATA = reply(354, '', 'End with <CR><LF>.<CR><LF>')
export const BYE = reply(221, '2.0.0', 'Bye')
export const HELP = reply(214, '2.0.0', 'Commands are those of RFC 5321 and RFC 6409')
export const NOT_VERIFIED = reply(252, '2.5.0', 'Send the message and see')

export const UNKNOWN_COMMAND = reply(500, '5.5.1', 'Unknown command')
export const BAD_LINE = reply(500, '5.5.2', 'Line is not text, or has a bare CR or LF in it')
export const LINE_TOO_LONG = reply(500, '5.5.2', 'Line too long')
export const AUTH_LINE_TOO_LONG = reply(500, '5.5.6', 'Authentication exchange line too long')
export const NO_ARGUMENT = reply(501, '5.5.4', 'Takes no argument')
export const ARGUMENT_NEEDED = reply(501, '5.5.4', 'Needs an argument')
export const NAME_NEEDED = reply(501, '5.5.4', 'Say your host name')
export const BAD_PATH = reply(501, '5.1.7', 'Syntax: MAIL FROM:<address>')
export const BAD_FORWARD_PATH = reply(501, '5.1.3', 'Syntax: RCPT TO:<address>')

export const GREET_FIRST = reply(503, '5.5.1', 'EHLO first')
export const MAIL_FIRST = reply(503, '5.5.1', 'MAIL first')
export const RCPT_FIRST = reply(503, '5.5.1', 'RCPT first')
export const NO_VALID_RECIPIENT = reply(554, '5.5.1', 'No valid recipient')
export const NESTED_MAIL = reply(503, '5.5.1', 'A transaction is open; RSET forgets it')
export const AUTH_IN_TRANSACTION = reply(503, '5.5.1', 'No AUTH within a transaction')
export const ALREADY_AUTHENTICATED = reply(503, '5.5.1', 'Already logged in')
export const NOT_OFFERED = reply(502, '5.5.1', 'Not offered here')
export const ALREADY_SECURE = reply(503, '5.5.1', 'TLS is active')
export const EARLY_BODY = reply(554, '5.5.0', 'Content was sent before we asked for it')

export const READY_FOR_TLS = reply(220, '2.0.0', 'Ready to start TLS')
export const TLS_FIRST = reply(530, '5.7.0', 'STARTTLS first')
// RFC 4954 section 6: the password must not even be looked at.
export const ENCRYPTION_NEEDED = reply(538, '5.7.11', 'Encryption required: STARTTLS first')
export const LOGIN_FIRST = reply(530, '5.7.0', 'Authentication required')

export const LOGGED_IN = reply(235, '2.7.0', 'Authentication successful')
export const WRONG_PASSWORD = reply(535, '5.7.8', 'Login or password is wrong')
export const LOGIN_UNAVAILABLE = reply(454, '4.7.0', 'Passwords cannot be checked now, try later')
export const LOGIN_LOCKED = reply(535, '5.7.8', 'This login is locked, or unknown in the directory')
export const KEY_UNKNOWN = reply(550, '5.7.8', 'Nobody has this key')
export const NOT_A_FINGERPRINT = reply(501, '5.5.4', 'Syntax: XKEY SHA256:fingerprint')
export const TOO_MANY_WRONG = reply(
  421,
  '4.7.0',
  'Too many wrong passwords for this login from your network, try again later',
)

export const NON_ASCII_ADDRESS = reply(553, '5.6.7', 'Address needs SMTPUTF8')
export const TOO_MANY_RECIPIENTS = reply(452, '4.5.3', 'Too many recipients in one message')

export const TOO_BIG = reply(552, '5.3.4', 'Message too big')
export const HEADER_TOO_BIG = reply(552, '5.3.4', 'Header section too big')
export const BARE_NEWLINE = reply(
  550,
  '5.6.0',
  'A line ends in CR or LF alone; lines end in CRLF (RFC 5321 section 2.3.8)',
)
export const LINE_OF_CONTENT_TOO_LONG = reply(
  550,
  '5.6.0',
  'A line is longer than 998 octets (RFC 5321 section 4.5.3.1.6); encode the content',
)
export const NO_HEADER = reply(554, '5.6.0', 'The message has no header section')
export const MAIL_LOOP = reply(554, '5.4.6', 'Too many Received fields, this looks like a loop')

export const OUT_OF_MEMORY = reply(452, '4.3.1', 'Too much mail at once, try later')
export const STORE_FULL = reply(452, '4.3.1', 'Out of space, try later')
export const STORE_AWAY = reply(451, '4.3.0', 'The queue cannot take mail now, try later')
export const INTERNAL_FAULT = reply(451, '4.3.0', 'A fault of ours, try later')

export const SHUTTING_DOWN = reply(421, '4.3.2', 'Shutting down')
export const TOO_SLOW = reply(421, '4.4.2', 'Timeout')
export const TALKS_TOO_SOON = reply(421, '4.7.0', 'You talk before the greeting')
export const NOT_YOUR_SERVER = reply(554, '5.7.1', 'This server is for other networks')
export const NOT_HTTP = reply(421, '4.7.0', 'This is not a web server')
export const TOO_MANY_ERRORS = reply(421, '4.7.0', 'Too many errors')
export const TOO_MANY_BEFORE_LOGIN = reply(421, '4.7.0', 'Too many commands without a login')
export const TOO_MANY_CONNECTIONS = reply(421, '4.7.0', 'Too many connections, try later')
