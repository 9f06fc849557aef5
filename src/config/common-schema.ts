import { z } from 'zod'

import { count, hostName, hostPort, section, text, word } from './fields.ts'

/** What both files may say, since each of them can run alone. */
export const commonShape = {
  /** Folder of everything that has to survive: queue, directory snapshot, history. */
  state: text('a folder').default('/var/lib/mailcanary'),
  /** Metrics, health and the status page. */
  admin: section({
    listen: hostPort().prefault('127.0.0.1:9464'),
    /** Needed beyond this host, as is the token. */
    tls: z
      .strictObject({
        certificate: text('a file with the certificate and its chain, PEM'),
        key: text('a file with the private key, PEM'),
      })
      .optional(),
    ...secretKeys('token'),
    /** Names under which browsers come, besides those of the certificate. */
    names: z.array(hostName()).default([]),
  }),
  /** Where queue and history are kept instead of files in the state folder: several nodes can share a database. */
  store: section({
    postgres: z
      .strictObject({
        ...secretKeys('url'),
        /** Connections of one node, at most. */
        connections: count(2, 100).default(10),
      })
      .optional(),
  }),
  log: section({
    format: word(['auto', 'human', 'json']).default('auto'),
    level: word(['info', 'debug']).default('info'),
  }),
}

/**
 * A secret: the file that holds it, or the environment variable. Spread into a section; `readSecret` reads it.
 *
 * @param what the key without its ending: `password`
 */
export function secretKeys<const K extends string>(
  what: K,
): { [P in `${K}_file` | `${K}_env`]: z.ZodOptional<z.ZodString> } {
  return {
    [`${what}_file`]: text('a file that holds the secret').optional(),
    [`${what}_env`]: text('the name of an environment variable').optional(),
  } as never
}

export const resolverShape = {
  /** Name servers to ask instead of the system's: `192.0.2.53` or `192.0.2.53:5353`. */
  nameservers: z.array(text('the address of a name server')).default([]),
}
