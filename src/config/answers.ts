import { z } from 'zod'

import { secretKeys } from './common-schema.ts'
import { text } from './fields.ts'
import { loadYaml } from './yaml-file.ts'

/** A text, or what YAML makes of one that looks like a number. Whether it is right is tested where it is asked. */
function answer(what: string): z.ZodOptional<z.ZodType<string>> {
  return z
    .union([text(what), z.number(), z.boolean()], { error: `should be ${what}` })
    .transform(String)
    .optional()
}

const seed = z.strictObject({
  name: answer('a name of lower-case letters, digits and dashes'),
  provider: answer('gmail, hotmail, microsoft365, yahoo, icloud, riseup or other'),
  address: answer('the address of the account'),
  imap_host: answer('a host name, for provider: other'),
  imap_port: answer('a port number'),
  username: answer('the name to sign in with'),
  ca: answer('a file with certificates'),
  server_name: answer('the name in the certificate'),
  junk_folder: answer('the name of the folder for spam'),
  client_id: answer('the id of an OAuth 2 application'),
  ...secretKeys('password'),
})

/** What `mailcanary init` would ask. Secrets are named, never written. */
export const answersSchema = z.strictObject({
  hostname: answer('a host name such as relay.example.org'),
  state: answer('a folder'),
  listen: z
    .strictObject({
      submissions: answer('addresses with ports, with spaces between them'),
      submission: answer('addresses with ports, with spaces between them'),
      admin: answer('an address and a port'),
    })
    .optional(),
  certificate: answer('a file with the certificate and its chain, PEM'),
  key: answer('a file with the private key, PEM'),
  authority: answer('a file with the certificates that clients trust'),
  domains: answer('domains, with spaces between them'),
  directory: z
    .strictObject({
      source: answer('ldaps://HOST, ldap://HOST, or a file of uid:hash lines'),
      ca: answer('a file with certificates'),
      server_name: answer('the name in the certificate'),
      bind_dn: answer('the DN of an account that can read the passwords'),
      base: answer('the DN under which the people are'),
      schema: answer('userdir-ldap or inetorgperson'),
      password_attribute: answer('the name of an attribute'),
      ...secretKeys('bind_password'),
    })
    .optional(),
  canary: z
    .strictObject({
      login: answer('a login'),
      from: answer('a mail address'),
      ...secretKeys('password'),
    })
    .optional(),
  seeds: z.array(seed).optional(),
  outbound: z
    .strictObject({
      smarthost: answer('HOST, HOST:PORT, or - for none'),
      tls: answer('implicit, starttls or none'),
      username: answer('a login at the smarthost'),
      ...secretKeys('password'),
      nameservers: answer('addresses of name servers, with spaces between them'),
      port: answer('a port number'),
      allow_loopback: answer('true or false'),
    })
    .optional(),
  every: answer('a duration such as 10m'),
  deadline: answer('a duration such as 30m'),
  first_canary: answer('yes or no'),
})

export type Answers = z.infer<typeof answersSchema>

/** @throws Problem that lists all that is no answer */
export async function loadAnswers(path: string): Promise<Answers> {
  return (await loadYaml(path, answersSchema)).value
}
