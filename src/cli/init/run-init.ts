import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

import { Problem } from '../../base/problem.ts'
import { loadAnswers } from '../../config/answers.ts'
import type { InitOptions } from '../init.ts'
import { print } from '../print.ts'
import { stopRequest } from '../stop-request.ts'
import { AnswerBook } from './answer-book.ts'
import { askCanaryLogin } from './canary-step.ts'
import { askDirectory } from './directory-step.ts'
import { existing, loadDrafts, makeFolder, writeDrafts, type Drafts } from './drafts.ts'
import { sendFirstCanary } from './first-canary.ts'
import { askHost, type Host } from './host-step.ts'
import { Interview } from './interview.ts'
import { askOutbound } from './outbound-step.ts'
import { askOverwriting, refuseOverwriting } from './overwriting.ts'
import { askSeeds, type SeedAnswers } from './seed-step.ts'
import { canRead, serviceUser, type ServiceUser } from './service-user.ts'
import { Terminal } from './terminal.ts'

/** @returns the exit code */
export async function runInit(options: InitOptions): Promise<number> {
  const folder = resolve(options.folder)
  const paths = { relay: join(folder, 'relay.yaml'), probes: join(folder, 'probes.yaml') }
  const service = serviceUser()
  const isAttended = options.answers === undefined || options.ask === true
  if (isAttended && !process.stdin.isTTY) {
    throw new Problem('there is no terminal to ask on: answer by a file, with --answers FILE')
  }
  await refuseOverwriting(paths, options, isAttended)
  await makeFolder(folder, service)
  const terminal = isAttended ? new Terminal() : undefined
  const keptIn = join(folder, 'init-answers.yaml')
  let isWritten = false
  try {
    const interview = await begin({ options, terminal, folder, keptIn })
    if (isAttended && options.replace !== true) await askOverwriting(interview, paths)
    const { drafts, seeds, host } = await converse(interview, service)
    // All that a question cannot know: what does not fit together.
    await loadDrafts(drafts, tmpdir())
    for (const { path, isNew } of drafts.secrets) {
      if (isNew || canRead(service, path)) continue
      throw new Problem(`${path}: the service may not read it: chgrp mailcanary it, and chmod 0640`)
    }
    const what = [paths.relay, paths.probes, ...newSecrets(drafts)].join(', ')
    interview.say('', `All is known. To be written: ${what}.`)
    const no = /^n/i.test(await interview.word('Write them [yes]: '))
    if (no) throw new Problem(`nothing was written; your answers are kept in ${keptIn}`)
    const written = await writeDrafts(drafts, paths, service)
    isWritten = true
    interview.say('', ...written.map(path => `wrote ${path}`))
    return await finish(interview, { host, seeds, paths, service, terminal })
  } catch (error) {
    if (terminal?.stopped.aborted !== true) throw error
    print([
      '',
      '',
      ...(isWritten
        ? [
            'Ended. The configuration is written; a canary can be sent with: mailcanary probe everyone',
          ]
        : [
            `Ended, and nothing was written but your answers (no secrets): ${keptIn}`,
            'To go on from there: mailcanary init',
          ]),
    ])
    // What was being tested when somebody ended it would keep the process for as long as it takes.
    return process.exit(130)
  } finally {
    terminal?.close()
  }
}

async function begin(set: {
  readonly options: InitOptions
  readonly terminal: Terminal | undefined
  readonly folder: string
  readonly keptIn: string
}): Promise<Interview> {
  const { options, terminal, folder, keptIn } = set
  const { answers } = options
  const source = answers ?? keptIn
  const before = terminal === undefined ? [] : await existing([keptIn])
  const given = answers === undefined ? {} : await loadAnswers(answers)
  const common = { terminal, source, folder }
  const fresh = new AnswerBook(given, terminal === undefined ? undefined : keptIn)
  const interview = new Interview({ ...common, book: fresh, takesKnown: true })
  if (terminal !== undefined) interview.say(...INTRODUCTION)
  if (before.length === 0) return interview
  const resumed = { ...(await loadAnswers(keptIn)), ...given }
  const word = await interview.word(
    `\n${keptIn} has your answers of last time.\nGo on from there? [yes]: `,
  )
  const takesKnown = !/^n/i.test(word)
  return new Interview({ ...common, book: new AnswerBook(resumed, keptIn), takesKnown })
}

const INTRODUCTION = [
  'This sets up the relay and the prober. Each answer is tested at once.',
  'Enter takes what stands in brackets; Ctrl-C ends it: nothing is written before the end but your answers.',
]

interface Conversation {
  readonly drafts: Drafts
  readonly host: Host
  readonly seeds: readonly SeedAnswers[]
}

async function converse(
  interview: Interview,
  service: ServiceUser | undefined,
): Promise<Conversation> {
  const { book } = interview
  const host = await askHost(interview, service)
  const directory = await askDirectory(interview, host)
  const common = {
    state: host.state,
    ...(host.admin !== '127.0.0.1:9464' && { admin: { listen: host.admin } }),
  }
  const relay = {
    ...common,
    hostname: host.hostname,
    listen: host.listen,
    tls: host.tls,
    directory: { domains: host.domains, ...directory.section },
  }
  const canary = await askCanaryLogin(interview, host, { relay, secrets: directory.secrets })
  const seeds = await askSeeds(interview)
  const outbound = await askOutbound(
    interview,
    seeds.map(({ domain }) => domain),
  )
  const clients = seeds.flatMap(({ client }) => (client === undefined ? [] : [client]))
  const port = Number(host.listen.submissions[0]?.split(':').at(-1))
  const probes = {
    ...common,
    origins: {
      relay: {
        submission: {
          host: host.ownAddress,
          port,
          tls: 'implicit',
          ...(host.authority !== undefined && { ca: host.authority }),
          ...(host.ownAddress !== host.hostname && { server_name: host.hostname }),
          username: canary.login,
          password_file: canary.password.path,
        },
        from: canary.from,
        trace: 'local',
      },
    },
    seeds: Object.fromEntries(seeds.map(({ name, row }) => [name, row])),
    ...(clients.length > 0 && {
      oauth: {
        clients: Object.fromEntries(
          clients.map(({ provider, id }) => [provider, { client_id: id }]),
        ),
      },
    }),
    probes: [
      {
        name: 'everyone',
        origins: ['relay'],
        seeds: seeds.map(({ name }) => name),
        every: book.get('every') ?? '10m',
        deadline: book.get('deadline') ?? '30m',
      },
    ],
  }
  const secrets = [
    ...directory.secrets,
    canary.password,
    ...seeds.map(({ secret }) => secret),
    outbound.secret,
  ].filter(secret => secret !== undefined)
  return {
    host,
    seeds,
    drafts: {
      relay: { ...relay, ...(outbound.section && { delivery: outbound.section }) },
      probes,
      secrets,
    },
  }
}

async function finish(
  interview: Interview,
  end: {
    readonly host: Host
    readonly seeds: readonly SeedAnswers[]
    readonly paths: { readonly relay: string; readonly probes: string }
    readonly service: ServiceUser | undefined
    readonly terminal: Terminal | undefined
  },
): Promise<number> {
  const { host, seeds, paths, service, terminal } = end
  const ready = seeds.filter(({ client }) => client === undefined).map(({ name }) => name)
  const rest = seeds.filter(({ client }) => client !== undefined).map(({ name }) => name)
  let code = 0
  const wanted =
    ready.length > 0 &&
    (await interview.confirm(
      {
        key: 'first_canary',
        ask: 'Send a canary now',
        why: 'The service is started for as long as it takes, a canary is sent to each account, and you see what becomes of it.',
      },
      true,
    ))
  if (wanted) {
    code = await sendFirstCanary({
      ...paths,
      state: host.state,
      admin: host.admin,
      service,
      seeds: ready,
      signal: terminal?.stopped ?? endRequest(),
    })
  }
  interview.say(
    '',
    ...rest.map(name => `Sign in to ${name}:     mailcanary seed login ${name}`),
    `What else should be right: mailcanary check --live`,
    service === undefined
      ? `Start it:                  mailcanary run --relay ${paths.relay} --probes ${paths.probes}`
      : 'Start it:                  systemctl enable --now mailcanary',
    `Then its status page is    http://${host.admin}/`,
  )
  return code
}

/** Without a terminal of our own a signal would leave the service behind. */
function endRequest(): AbortSignal {
  const ending = new AbortController()
  void stopRequest().then(() => ending.abort())
  return ending.signal
}

function newSecrets({ secrets }: Drafts): readonly string[] {
  return secrets.filter(({ isNew }) => isNew).map(({ path }) => path)
}
