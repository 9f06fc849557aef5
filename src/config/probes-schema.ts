import { z } from 'zod'

import { FAILURE_CLASSES } from '../mail/outcome.ts'
import { commonShape, secretKeys } from './common-schema.ts'
import {
  address,
  count,
  day,
  duration,
  flag,
  host,
  hostName,
  limit,
  name,
  pattern,
  port,
  section,
  serviceUrl,
  share,
  text,
  word,
} from './fields.ts'

/** What a content can be, as `probe/content.ts` builds it. */
export const CONTENT_FORMS = ['plain', 'html', 'reply', 'attachment'] as const

const submission = z.strictObject({
  host: host(),
  port: port().default(465),
  tls: word(['implicit', 'starttls', 'none']).default('implicit'),
  ca: text('a file with certificates').optional(),
  server_name: hostName().optional(),
  username: text('a login at this server').optional(),
  ...secretKeys('password'),
})

const smtp = z.strictObject({
  host: host(),
  port: port().default(25),
  tls: word(['opportunistic', 'starttls', 'none']).default('opportunistic'),
  ca: text('a file with certificates').optional(),
  server_name: hostName().optional(),
})

const origin = z.strictObject({
  submission: submission.optional(),
  smtp: smtp.optional(),
  command: z
    .array(text('a word of a command'), {
      error: 'should be a list of words: [/usr/sbin/sendmail, -i, -f, "{from}", "{to}"]',
    })
    .min(1, 'should name a program')
    .optional(),
  from: address(),
  from_name: text('a name of a person').optional(),
  received_by: hostName().optional(),
  trace: text('local, none, or the URL of an admin listener')
    .refine(
      value => ['local', 'none'].includes(value) || serviceUrl().safeParse(value).success,
      'should be local, none, or the URL of an admin listener: https://relay.example.org:9464',
    )
    .default('none'),
  ...secretKeys('trace_token'),
  trace_ca: text('a file with certificates').optional(),
  bounces: name().optional(),
})

const imap = z.strictObject({
  host: host().optional(),
  port: port().optional(),
  ca: text('a file with certificates').optional(),
  server_name: hostName().optional(),
  username: text('the name to sign in with').optional(),
})

const seed = z.strictObject({
  provider: name(),
  address: address(),
  imap: imap.prefault({}),
  sign_in: word(['password', 'oauth2']).optional(),
  ...secretKeys('password'),
  junk_folder: text('the name of the folder for spam').optional(),
  created: day().optional(),
  daily_cap: limit().prefault(500),
})

const bounceMailbox = z.strictObject({
  address: address().optional(),
  imap: imap.extend({ host: host() }),
  ...secretKeys('password'),
})

const replyRule = z.strictObject({
  sample: text('a reply as the provider sends it: 421 4.7.0 try again later'),
  codes: z.array(count(400, 599)).optional(),
  enhanced: z.array(text('an enhanced status code such as 5.7.1')).optional(),
  text: pattern().optional(),
  class: word(FAILURE_CLASSES),
})

const provider = z.strictObject({
  mx_suffixes: z
    .array(
      text('the end of an MX host name, such as .mx.example.net').startsWith(
        '.',
        'should begin with a dot',
      ),
    )
    .default([]),
  imap_host: host().optional(),
  imap_port: port().optional(),
  auth: word(['password', 'oauth2']).optional(),
  username: word(['address', 'local-part']).optional(),
  idle: flag().optional(),
  ipv4_only: flag().optional(),
  connections: count(1, 100).optional(),
  oauth: z
    .strictObject({
      device_url: serviceUrl().optional(),
      authorize_url: serviceUrl().optional(),
      token_url: serviceUrl(),
      scope: text('the words of a scope, with spaces between them'),
    })
    .optional(),
  junk_names: z.array(text('the name of a folder')).default([]),
  auth_hosts: z.array(text('the end of a host name')).default([]),
  reply_rules: z.array(replyRule).default([]),
  verified: word(['live', 'documentation']).optional(),
})

const oauthClient = z.strictObject({
  client_id: text('the id of the application that you have registered'),
  ...secretKeys('client_secret'),
})

const content = z.strictObject({
  form: word(CONTENT_FORMS),
  subjects: words('a subject'),
  greetings: words('a greeting'),
  sentences: words('a sentence'),
  closings: words('a closing'),
  automatic: flag().default(false),
})

/** A list that replaces ours. */
function words(what: string): z.ZodOptional<z.ZodArray<z.ZodString>> {
  return z.array(text(what).max(500, 'should be no longer than 500 characters')).min(1).optional()
}

const probe = z.strictObject({
  name: name(),
  origins: z.array(name()).min(1, 'should name at least one origin'),
  seeds: z.array(name()).min(1, 'should name at least one seed'),
  contents: z.array(name()).min(1, 'should name at least one content').default(['plain']),
  rotate_seeds: flag().default(false),
  every: duration({ atLeast: '1s', atMost: '7d' }).optional(),
  cron: text('a cron expression').optional(),
  timezone: text('a time zone').optional(),
  jitter: duration({ atMost: '1h' }).prefault('30s'),
  paired: flag().default(true),
  deadline: duration({ atLeast: '1s', atMost: '2d' }).prefault('30m'),
})

const baseline = z.strictObject({
  origin: name(),
  provider: name(),
  signal: word(['arrival', 'inbox', 'lateness']),
  healthy: share(),
})

/** The prober's configuration. `probes.yaml` in the root of the project says what each key is for. */
export const probesSchema = z.strictObject({
  ...commonShape,
  origins: z.record(name(), origin, { error: 'is missing: say where canaries are submitted' }),
  seeds: z.record(name(), seed, { error: 'is missing: say which accounts are looked at' }),
  bounces: z.record(name(), bounceMailbox).default({}),
  providers: z.record(name(), provider).default({}),
  contents: z.record(name(), content).default({}),
  oauth: section({
    ...secretKeys('token_key'),
    clients: z.record(name(), oauthClient).default({}),
  }),
  probes: z
    .array(probe, { error: 'is missing: say what is sent, and how often' })
    .min(1, 'should hold a probe'),
  imap: section({
    poll_every: duration({ atLeast: '1s', atMost: '1h' }).prefault('45s'),
    retry_after: duration({ atLeast: '1s', atMost: '30m' }).prefault('1m'),
  }),
  detector: section({
    slow_after: duration({ atLeast: '1s', atMost: '2d' }).prefault('5m'),
    baselines: z.array(baseline).default([]),
  }),
  retention: section({
    canaries: duration({ atLeast: '1d', atMost: '4000d' }).prefault('400d'),
  }),
})

export type ProbesConfig = z.infer<typeof probesSchema>
