import { readFileSync } from 'node:fs'

import { messageOf } from '../../base/problem.ts'
import { lookAtTls } from '../../base/tls-look.ts'
import { never, WELL, type Interview } from './interview.ts'

export interface Mailbox {
  readonly host: string
  readonly port: number
  readonly username: string | undefined
  readonly ca: string | undefined
  readonly servername: string | undefined
}

/** Where the mailbox of a server that we do not know is read. */
export async function askMailbox(
  interview: Interview,
  key: string,
  domain: string,
): Promise<Mailbox> {
  const { book } = interview
  const port = Number(book.get(`${key}.imap_port`) ?? 993)
  const trust = {
    ca: book.get(`${key}.ca`),
    servername: book.get(`${key}.server_name`),
  }
  const shake = (host: string, { ca, servername } = trust): ReturnType<typeof lookAtTls> => {
    const [, name = host, own] = /^(.*):(\d+)$/.exec(host) ?? []
    return lookAtTls({
      host: name,
      port: own === undefined ? port : Number(own),
      ...(ca !== undefined && { ca: readFileSync(ca, 'utf8') }),
      ...(servername !== undefined && { servername }),
    })
  }
  const answer = await interview.ask({
    key: `${key}.imap_host`,
    ask: 'IMAP server',
    why: 'Where its mailbox is read, with TLS from the start: HOST, or HOST:PORT where that is not 993.',
    unless: `imap.${domain}`,
    test: async host => {
      const seen = await shake(host)
      return seen.kind === 'unreachable'
        ? { ok: false, text: `It cannot be reached: ${seen.why}.` }
        : WELL
    },
  })
  const [, host = answer, own] = /^(.*):(\d+)$/.exec(answer) ?? []
  let { ca, servername } = trust
  const seen = await shake(answer)
  if (seen.kind === 'untrusted') {
    ca = await interview.ask({
      key: `${key}.ca`,
      ask: 'Authority of the IMAP server',
      why: `Its certificate is not trusted (${seen.why}): the file with the certificate of its authority, PEM.`,
      test: async path => {
        try {
          const again = await shake(answer, { ca: path, servername })
          return again.kind === 'untrusted'
            ? { ok: false, text: `Not with that either: ${again.why}.` }
            : WELL
        } catch (error) {
          return never(messageOf(error))
        }
      },
    })
  }
  const named = await shake(answer, { ca, servername })
  if (named.kind === 'other-name') {
    servername = await interview.ask({
      key: `${key}.server_name`,
      ask: 'Name in its certificate',
      why: `Its certificate is for ${named.names.join(', ') || 'no name'}: the name to look for.`,
      ...(named.names[0] !== undefined && { unless: named.names[0] }),
    })
  }
  return {
    host,
    port: own === undefined ? port : Number(own),
    username: book.get(`${key}.username`),
    ca,
    servername,
  }
}

/** The section `imap` of a seed. */
export function imapRow(
  { host, port, ca, servername }: Mailbox,
  username: string | undefined,
): object {
  return {
    host,
    ...(port !== 993 && { port }),
    ...(ca !== undefined && { ca }),
    ...(servername !== undefined && { server_name: servername }),
    ...(username !== undefined && { username }),
  }
}
