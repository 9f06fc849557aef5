import { z } from 'zod'

import { commonShape, secretKeys } from './common-schema.ts'
import {
  address,
  duration,
  flag,
  host,
  hostName,
  limit,
  name,
  port,
  section,
  share,
  text,
  word,
} from './fields.ts'

const origin = z.strictObject({
  submission: z.strictObject(
    {
      host: host(),
      port: port().default(465),
      tls: word(['implicit', 'starttls', 'none']).default('implicit'),
      ca: text('a file with certificates').optional(),
      server_name: hostName().optional(),
      username: text('a login at this server').optional(),
      ...secretKeys('password'),
    },
    { error: 'is missing: say where canaries are submitted' },
  ),
  from: address(),
  trace: word(['local', 'none']).default('none'),
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
  ...secretKeys('password'),
  junk_folder: text('the name of the folder for spam').optional(),
  daily_cap: limit().prefault(500),
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
  imap_port: port().default(993),
  idle: flag().default(true),
  junk_names: z.array(text('the name of a folder')).default([]),
  auth_hosts: z.array(text('the end of a host name')).default([]),
})

const probe = z.strictObject({
  name: name(),
  origins: z.array(name()).min(1, 'should name at least one origin'),
  seeds: z.array(name()).min(1, 'should name at least one seed'),
  every: duration({ atLeast: '1s', atMost: '7d' }).optional(),
  cron: text('a cron expression').optional(),
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
  providers: z.record(name(), provider).default({}),
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
