// Starts Prometheus and Alertmanager, as Debian packages them, beside a mailcanary or its demo on this host, and prints
// every alert: npm run monitor -- --help
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'

import { parse } from 'yaml'

import { hurriedRules } from '../dashboards/hurry.ts'

const HELP = `Usage: npm run monitor -- [options]

Starts Prometheus and Alertmanager with the files in dashboards/, on loopback, and prints every alert that is told. Ctrl-C ends both.

Options:
  --target <host:port>   admin listener of mailcanary, of each node once more (default: 127.0.0.1:9464)
  --hurry <number>       divide the rules' windows and for-times by this: 240 suits the demo
  --mail-to <address>    tell this address as well ...
  --mail-by <host:port>  ... by this SMTP server, which must not be the relay that is watched
  --playbook <url>       where the links of alerts lead (default: docs/operating.md)
  --port-base <number>   move the ports 9090, 9093 and 9095 up by this number
  --data <folder>        where they keep their data (default: a new folder in ${tmpdir()})

Exit code: 0 after Ctrl-C, 1 if one of them could not start or ended (the reason is printed), 2 for a wrong option.

Example, in two terminals:
  npm start
  npm run monitor -- --hurry 240
`

interface Alert {
  readonly status: 'firing' | 'resolved'
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

const DASHBOARDS = new URL('../dashboards/', import.meta.url)
const HOST = '127.0.0.1'

const options = readOptions()
const base = Number(options['port-base'])
const ports = { prometheus: 9090 + base, alertmanager: 9093 + base, webhook: 9095 + base }
const folder = options.data ?? (await mkdtemp(join(tmpdir(), 'mailcanary-monitor-')))
await mkdir(folder, { recursive: true })

const webhook = createServer((request, response) => {
  void text(request).then(body => {
    const { alerts } = JSON.parse(body) as { alerts: readonly Alert[] }
    for (const alert of alerts) process.stdout.write(lineOf(alert))
    response.end()
  })
})
webhook.listen(ports.webhook, HOST)
await once(webhook, 'listening').catch(fail)

await writeFile(join(folder, 'alerts.yml'), await rules())
await writeFile(join(folder, 'prometheus.json'), JSON.stringify(await prometheusConfig()))
await writeFile(join(folder, 'alertmanager.json'), JSON.stringify(await alertmanagerConfig()))
const children: ChildProcess[] = []
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop(0))
await start('alertmanager', ['prometheus-alertmanager', 'alertmanager'], ports.alertmanager, [
  `--config.file=${join(folder, 'alertmanager.json')}`,
  `--storage.path=${join(folder, 'alertmanager')}`,
  `--web.listen-address=${HOST}:${ports.alertmanager}`,
  // No cluster: nothing listens beyond loopback.
  '--cluster.listen-address=',
])
// After the other one: what it tells nobody it does not tell again for a minute.
await start('prometheus', ['prometheus'], ports.prometheus, [
  `--config.file=${join(folder, 'prometheus.json')}`,
  `--storage.tsdb.path=${join(folder, 'prometheus')}`,
  `--web.listen-address=${HOST}:${ports.prometheus}`,
])
process.stdout.write(`
  Watching ${options.target.join(', ')}. Alerts are printed here.

    Prometheus    http://${HOST}:${ports.prometheus}/alerts
    Alertmanager  http://${HOST}:${ports.alertmanager}/

  Ctrl-C ends both. Their files are in ${folder}

`)

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        target: { type: 'string', multiple: true, default: ['127.0.0.1:9464'] },
        hurry: { type: 'string', default: '1' },
        'mail-to': { type: 'string' },
        'mail-by': { type: 'string' },
        playbook: { type: 'string' },
        'port-base': { type: 'string', default: '0' },
        data: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    if (values.help === true) {
      process.stdout.write(HELP)
      process.exit(0)
    }
    if ((values['mail-to'] === undefined) !== (values['mail-by'] === undefined)) {
      throw new Error('--mail-to and --mail-by belong together')
    }
    if (!(Number(values.hurry) >= 1)) throw new Error('--hurry takes a number from 1 on')
    return values
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`)
    process.exit(2)
  }
}

async function committed(name: string): Promise<string> {
  return readFile(new URL(name, DASHBOARDS), 'utf8')
}

async function rules(): Promise<string> {
  return hurriedRules(await committed('alerts.yml'), Number(options.hurry))
}

async function prometheusConfig(): Promise<unknown> {
  const config = parse(await committed('prometheus.yml')) as { global: object; alerting: object }
  const { playbook } = options
  const hurried = options.hurry !== '1' && { scrape_interval: '1s', evaluation_interval: '1s' }
  return {
    ...config,
    global: { ...config.global, ...hurried, external_labels: playbook ? { playbook } : {} },
    alerting: {
      ...config.alerting,
      alertmanagers: [{ static_configs: [{ targets: [`${HOST}:${ports.alertmanager}`] }] }],
    },
    scrape_configs: [{ job_name: 'mailcanary', static_configs: [{ targets: options.target }] }],
  }
}

/** What silences what is as committed; who is told are this terminal, and a mailbox if one was named. */
async function alertmanagerConfig(): Promise<unknown> {
  const config = parse(await committed('alertmanager.yml')) as { inhibit_rules: unknown }
  const mail = options['mail-to']
  return {
    route: {
      receiver: 'here',
      group_by: ['alertname', 'origin', 'provider'],
      group_wait: '1s',
      group_interval: '5s',
      repeat_interval: '4h',
    },
    receivers: [
      {
        name: 'here',
        webhook_configs: [{ url: `http://${HOST}:${ports.webhook}/` }],
        ...(mail !== undefined && {
          email_configs: [
            {
              to: mail,
              from: `alertmanager@${mail.slice(mail.lastIndexOf('@') + 1)}`,
              smarthost: options['mail-by'],
              // A server of this host shows a certificate of nobody's.
              require_tls: false,
            },
          ],
        }),
      },
    ],
    inhibit_rules: config.inhibit_rules,
  }
}

/** Starts a program and waits until it answers. */
async function start(
  name: string,
  programs: readonly string[],
  port: number,
  args: readonly string[],
): Promise<void> {
  const folders = (process.env['PATH'] ?? '').split(':')
  const program = programs
    .flatMap(one => folders.map(path => join(path, one)))
    .find(path => existsSync(path))
  if (program === undefined) {
    fail(new Error(`no ${programs.join(' or ')} here: apt install ${programs[0]}`))
  }
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const log = createWriteStream(join(folder, `${name}.log`), { flags: 'a' })
  child.stdout.pipe(log)
  child.stderr.pipe(log)
  child.once('exit', code => fail(new Error(`${name} ended (${code}): ${folder}/${name}.log`)))
  children.push(child)
  await answering(port)
}

async function answering(port: number): Promise<void> {
  for (;;) {
    const answer = await fetch(`http://${HOST}:${port}/-/ready`).catch(() => undefined)
    if (answer?.ok === true) return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

function lineOf({ status, labels, annotations }: Alert): string {
  const head = status === 'firing' ? (labels['severity'] ?? '').toUpperCase() : 'over'
  const link = status === 'firing' ? `    ${annotations['runbook_url']}\n` : ''
  return `${head} ${labels['alertname']}: ${annotations['summary']}\n${link}`
}

async function stop(code: number): Promise<never> {
  await Promise.all(
    children.map(async child => {
      child.removeAllListeners('exit')
      if (child.exitCode !== null || !child.kill()) return
      await once(child, 'exit')
    }),
  )
  process.exit(code)
}

function fail(error: unknown): never {
  for (const child of children) child.kill()
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}
