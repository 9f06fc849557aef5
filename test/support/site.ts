import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { testCertificates, type TestCertificates } from './certificates.ts'
import { Daemon } from './daemon.ts'
import { freePort } from './ports.ts'

export const RELAY_NAME = 'relay.example.org'

const NO_LIMITS = `  per_login:
    messages_per_hour: none
    messages_per_day: none
    recipients_per_hour: none
    recipients_per_day: none
    new_recipients_per_day: none`

export interface SiteOptions {
  /** The section `directory` of relay.yaml, as YAML indented by two. */
  readonly directory: string
  /** The section `delivery`. */
  readonly delivery: string
  /** The section `limits`. Unless told, a login may send as much as a test wants. */
  readonly limits?: string
  /** The section `store` in one line; without it the queue is a file. */
  readonly store?: string
  /** The section `web`. */
  readonly web?: string
  /** The section `checks` in one line; without it the relay does not look at itself. */
  readonly checks?: string
  /** Keys of the section `admin` in one line, beside its address. */
  readonly admin?: string
  /** Lines of the section `listen`, beside its two listeners. */
  readonly listen?: string
  /** Secrets by name; `secret(name)` is the path that the configuration may name. */
  readonly secrets?: Readonly<Record<string, string>>
}

/** A mailcanary of one organisation: configuration, certificates and secrets in a folder, run as a process of its own. */
export class Site {
  readonly folder: string
  readonly certificates: TestCertificates
  readonly ports: {
    readonly submissions: number
    readonly submission: number
    readonly admin: number
  }
  readonly relayFile: string
  daemon: Daemon | undefined
  /** A file for what the daemon prints; without it that is `said`. */
  log: string | undefined
  /** Further environment of the daemon. */
  env: Readonly<Record<string, string>> = {}
  readonly #daemons: Daemon[] = []

  readonly state: string

  private constructor(
    folder: string,
    state: string,
    certificates: TestCertificates,
    ports: Site['ports'],
  ) {
    this.folder = folder
    this.state = state
    this.certificates = certificates
    this.ports = ports
    this.relayFile = join(folder, 'relay.yaml')
  }

  static async create(folder: string, state = join(folder, 'state')): Promise<Site> {
    const certificates = await testCertificates(join(folder, 'ca'))
    const [submissions, submission, admin] = [await freePort(), await freePort(), await freePort()]
    await mkdir(join(folder, 'secrets'))
    return new Site(folder, state, certificates, { submissions, submission, admin })
  }

  /** Everything that was printed since the first start. */
  get said(): string {
    return this.#daemons.map(daemon => daemon.output).join('\n')
  }

  /** Keeps a secret in a file. @returns its path */
  async secret(name: string, value: string): Promise<string> {
    const path = join(this.folder, 'secrets', name)
    await writeFile(path, `${value}\n`, { mode: 0o600 })
    return path
  }

  /** Writes relay.yaml. */
  async configure(options: SiteOptions): Promise<void> {
    const pair = await this.certificates.issue(RELAY_NAME)
    await writeFile(
      this.relayFile,
      `hostname: ${RELAY_NAME}
state: ${this.state}
store: ${options.store ?? '{}'}
listen:
  submissions: ["127.0.0.1:${this.ports.submissions}"]
  submission: ["127.0.0.1:${this.ports.submission}"]
${options.listen ?? ''}
tls: {certificate: ${pair.certificate}, key: ${pair.key}}
directory:
${options.directory}
delivery:
${options.delivery}
limits:
${options.limits ?? NO_LIMITS}
${options.web === undefined ? '' : `web:\n${options.web}`}
checks: ${options.checks ?? '{enabled: false}'}
admin: {listen: "127.0.0.1:${this.ports.admin}"${options.admin === undefined ? '' : `, ${options.admin}`}}
`,
    )
  }

  /** Starts `mailcanary run` and waits until it is ready. */
  async start(...args: string[]): Promise<Daemon> {
    this.daemon = Daemon.start(['run', '--relay', this.relayFile, ...args], this.env, this.log)
    this.#daemons.push(this.daemon)
    await this.daemon.ready(this.ports.admin)
    return this.daemon
  }

  async stop(): Promise<void> {
    await this.daemon?.stop()
  }

  /** A number of /metrics, 0 where it is not there; sums all series whose labels contain the text. */
  async metric(name: string, labels = ''): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${this.ports.admin}/metrics`)).text()
    return text
      .split('\n')
      .filter(line => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .filter(line => line.includes(labels))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
  }
}
