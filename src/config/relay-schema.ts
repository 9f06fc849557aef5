import { z } from 'zod'

import { SUBMIT_SOCKET } from '../base/submit-socket.ts'
import { commonShape, resolverShape, secretKeys } from './common-schema.ts'
import {
  address,
  count,
  duration,
  flag,
  host,
  hostName,
  hostPort,
  ipAddress,
  limit,
  name,
  network,
  port,
  section,
  sender,
  size,
  text,
  timeServer,
  word,
} from './fields.ts'

function ldapUrl(): z.ZodString {
  return text('ldaps://ldap.example.org, or ldap:// with starttls').regex(
    /^ldaps?:\/\/[^/\s]+$/,
    'should be ldaps://HOST[:PORT] or ldap://HOST[:PORT]',
  )
}

const ldap = z.strictObject({
  url: ldapUrl(),
  starttls: flag().default(false),
  ca: text('a file with certificates').optional(),
  server_name: hostName().optional(),
  bind_dn: text('the DN of an account that can read the passwords'),
  ...secretKeys('bind_password'),
  base: text('the DN under which the people are, such as ou=users,dc=example,dc=org'),
  role_base: text('the DN under which the roles are').optional(),
  schema: word(['userdir-ldap', 'inetorgperson']).default('userdir-ldap'),
  password_attribute: text('the name of an attribute').optional(),
  filter: text('an LDAP filter').optional(),
  attributes: section({
    login: text('the name of an attribute').optional(),
    aliases: z.array(text('the name of an attribute')).optional(),
    status: text('the name of an attribute').optional(),
    expires: text('the name of an attribute').optional(),
    lock: text('the name of an attribute').optional(),
    groups: text('the name of an attribute').optional(),
    ssh_keys: text('the name of an attribute').optional(),
  }),
  exclude_groups: z.array(text('the name of a group')).default([]),
  timeout: duration({ atLeast: '1s', atMost: '5m' }).prefault('10s'),
})

const exportFile = z.strictObject({
  path: text('a file of uid:hash lines'),
})

const smarthost = z.strictObject({
  host: host(),
  port: port().default(465),
  tls: word(['implicit', 'starttls', 'none']).default('implicit'),
  ca: text('a file with certificates').optional(),
  username: text('a login at the smarthost').optional(),
  ...secretKeys('password'),
})

const certificatePair = z.strictObject(
  {
    certificate: text('a file with the certificate and its chain, PEM'),
    key: text('a file with the private key, PEM'),
  },
  { error: 'is missing: logins need TLS, name certificate and key' },
)

/** What one login may send; absent here is what `per_login` says. */
const loginLimits = z.strictObject({
  over: word(['hold', 'defer']).optional(),
  messages_per_hour: limit().optional(),
  messages_per_day: limit().optional(),
  recipients_per_hour: limit().optional(),
  recipients_per_day: limit().optional(),
  new_recipients_per_day: limit().optional(),
})

const addressOrder = word(['ipv4-first', 'ipv6-first', 'ipv4-only'])

/** What one provider is sent; absent here is what the table of providers says. */
const shaping = z.strictObject({
  connections: limit().optional(),
  messages_per_connection: limit().optional(),
  messages_per_minute: limit().optional(),
})

const incomingServer = z.strictObject({
  type: word(['imap', 'pop3']).default('imap'),
  host: hostName(),
  port: port().optional(),
  tls: word(['implicit', 'starttls']).default('implicit'),
  username: word(['address', 'login']).default('address'),
})

const localListener = z.strictObject({
  address: hostPort(),
  /** Stands where a login stands: in limits, in the queue. */
  principal: name(),
  addresses: z.array(sender()).min(1, 'should name at least one address that may be the sender'),
  networks: z.array(network()).optional(),
})

/** Where `authorized-keys` and `sendmail` find the relay. */
const sshSocket = z.strictObject({
  socket: text('the path of a Unix socket')
    .regex(/^\//, `should be a full path, such as ${SUBMIT_SOCKET}`)
    .default(SUBMIT_SOCKET),
  group: text('the name of a group whose members may use it').optional(),
})

/** The relay's configuration. `relay.yaml` in the root of the project says what each key is for. */
export const relaySchema = z.strictObject({
  ...commonShape,
  hostname: hostName(),
  listen: z.strictObject(
    {
      submissions: z.array(hostPort()).default([]),
      submission: z.array(hostPort()).default([]),
      local: z.array(localListener).default([]),
      ssh: sshSocket.optional(),
      workers: z.union([z.literal('auto'), count(0, 64)]).default('auto'),
    },
    { error: 'is missing: say where clients connect, with submissions (465) and submission (587)' },
  ),
  tls: z.union([
    certificatePair,
    z.array(certificatePair).min(1, 'should hold at least one certificate with its key'),
  ]),
  directory: z.strictObject(
    {
      domains: z
        .array(hostName('a domain such as example.org'))
        .min(1, 'should name at least one domain'),
      sync_every: duration({ atLeast: '1s', atMost: '1d' }).prefault('1m'),
      full_scan_every: duration({ atLeast: '1s', atMost: '7d' }).prefault('1h'),
      max_loss_percent: count(1, 100).default(10),
      ldap: ldap.optional(),
      export_file: exportFile.optional(),
      senders: z.record(address(), z.array(text('a login'))).default({}),
    },
    { error: 'is missing: the relay has to know who may send' },
  ),
  submission: section({
    bare_newlines: word(['reject', 'normalize']).default('reject'),
    null_sender: word(['allow', 'reject']).default('allow'),
  }),
  limits: section({
    message_size: size().prefault('50MiB'),
    recipients: count(1, 10_000).default(100),
    connections: count(1, 100_000).default(1_000),
    connections_per_network: count(1, 100_000).default(100),
    memory: size().prefault('64MiB'),
    command_time: duration({ atLeast: '1s', atMost: '1h' }).prefault('5m'),
    login_time: duration({ atLeast: '1s', atMost: '1h' }).prefault('10m'),
    /** Octets a second. */
    minimum_rate: count(1, 1_000_000).default(100),
    wrong_passwords: count(3, 1_000).default(10),
    wrong_logins: count(3, 100_000).default(50),
    per_login: section({
      over: word(['hold', 'defer']).default('hold'),
      messages_per_hour: limit().default(100),
      messages_per_day: limit().default(500),
      recipients_per_hour: limit().default(500),
      recipients_per_day: limit().default(2_000),
      new_recipients_per_day: limit().default(200),
    }),
    logins: z.record(z.string().toLowerCase(), loginLimits).default({}),
  }),
  delivery: section({
    smarthost: smarthost.optional(),
    direct: section({
      ...resolverShape,
      port: port().default(25),
      tls: word(['opportunistic', 'required']).default('opportunistic'),
      allow_loopback: flag().default(false),
      address_order: addressOrder.default('ipv4-first'),
      /** By domain of the recipients, or by provider. */
      address_order_of: z.record(z.string().toLowerCase(), addressOrder).default({}),
    }),
    concurrency: count(1, 1_000).default(50),
    concurrency_per_destination: count(1, 100).default(5),
    shaping: z.record(z.string(), shaping).default({}),
    back_off: section({
      recovery: duration({ atLeast: '1s', atMost: '1d' }).prefault('15m'),
      longest_pause: duration({ atLeast: '1s', atMost: '1d' }).prefault('4h'),
    }),
    retry: z
      .array(duration({ atLeast: '1s', atMost: '1d' }))
      .min(1, 'should hold at least one duration')
      .prefault(['1m', '5m', '10m', '20m', '30m', '1h', '2h', '4h'] as never),
    give_up_after: duration({ atLeast: '1m', atMost: '14d' }).prefault('5d'),
    delay_notice_after: duration({ atLeast: '1m', atMost: '14d' }).prefault('4h'),
  }),
  web: z
    .strictObject({
      listen: hostPort(),
      proxies: z.array(network()).default([]),
      organisation: text('a name').optional(),
      incoming: z.array(incomingServer).default([]),
      account: z
        .strictObject({
          hash: word(['sha512-crypt', 'yescrypt', 'bcrypt']).default('sha512-crypt'),
          write_url: ldapUrl().optional(),
          application_passwords: flag().default(false),
        })
        .optional(),
      /** Whether everybody may see the status at /status, without any name or address. */
      status: flag().default(false),
    })
    .optional(),
  checks: section({
    enabled: flag().default(true),
    every: duration({ atLeast: '1m', atMost: '1d' }).prefault('1h'),
    addresses: z.array(ipAddress()).max(16, 'should name 16 addresses at most').default([]),
    blocklists: z
      .array(hostName('the zone of a list such as zen.spamhaus.org'))
      .max(16, 'should name 16 lists at most')
      .default(['zen.spamhaus.org', 'bl.spamcop.net', 'psbl.surriel.com']),
    ...resolverShape,
    outbound: z
      .array(hostName('a domain such as gmail.com'))
      .max(4, 'should name 4 domains at most')
      .default(['gmail.com']),
    time_server: timeServer().prefault('pool.ntp.org'),
  }),
  retention: section({
    /** How long the record of a finished message is kept, for `trace`. */
    messages: duration({ atLeast: '1h', atMost: '400d' }).prefault('14d'),
    /** How long it can be found out whose a pseudonym in the log is. */
    log: duration({ atLeast: '1h', atMost: '400d' }).prefault('14d'),
    /** How long application passwords outlive their account and their last use. */
    application_passwords: duration({ atLeast: '1d', atMost: '400d' }).prefault('30d'),
  }),
})

export type RelayConfig = z.infer<typeof relaySchema>
