import { spawn } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const DOCUMENT = new URL('../../docs/clients.md', import.meta.url)
const SYSTEM_AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt'

/** What docs/clients.md says about one program. */
interface Instructions {
  /** Texts of files by path, `~/.msmtprc`: a block, or a part of one, that begins with the path as a comment. */
  readonly files: ReadonlyMap<string, string>
  /** What to type: a block of shell, or what follows "Then"; '' where there is neither. */
  readonly command: string
}

/** Reads a section of docs/clients.md, so that what people copy is what the tests run. */
export async function instructions(heading: string): Promise<Instructions> {
  const document = await readFile(DOCUMENT, 'utf8')
  const section = document.split(/^## /m).find(text => text.startsWith(`${heading}\n`))
  if (section === undefined) throw new Error(`docs/clients.md has no section ${heading}`)
  const files = new Map<string, string>()
  let command = /^Then `(.+?)`\./m.exec(section)?.[1] ?? ''
  for (const [, language, block = ''] of section.matchAll(/^```(\w*)\n([^]*?)^```$/gm)) {
    if (language === 'sh') command = block
    for (const text of block.split(/^(?=# [~/])/m)) {
      const path = /^# ([~/]\S+)\n/.exec(text)?.[1]
      if (path !== undefined) files.set(path, text)
    }
  }
  return { files, command }
}

/** What takes the place of the examples in docs/clients.md. All else stays as it is written there. */
export interface Substitutes {
  /** The relay's name, `localhost` where nothing is said, and its port with implicit TLS. */
  readonly host?: string
  readonly port: number
  /** Path of the authority to believe; those of the system where nothing is said, which never signed for a test. */
  readonly ca?: string | undefined
  readonly password: string
  /** Local part of the sender. */
  readonly sender?: string
}

/** Puts the substitutes where docs/clients.md has examples. */
export function substitute(text: string, substitutes: Substitutes): string {
  const { host = 'localhost', port, ca = SYSTEM_AUTHORITIES, password, sender } = substitutes
  const replaced = text
    .replaceAll('relay.example.org', host)
    .replaceAll(/\b465\b/g, String(port))
    .replaceAll('MAIL-PASSWORD', password)
    .replaceAll(SYSTEM_AUTHORITIES, ca)
  return sender === undefined
    ? replaced
    : replaced.replaceAll('alice@example.org', `${sender}@example.org`)
}

export interface Finished {
  readonly code: number | null
  /** Standard output and error. */
  readonly output: string
}

/** A folder in which a mail program finds its settings and nothing of whoever runs the tests. */
export class Home {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  /** Where a path is in here: both `~` and the root are this folder. */
  path(path: string): string {
    return join(this.folder, path.replace(/^~/, ''))
  }

  /** Writes a file that only its owner can read, as programs demand of those with passwords. */
  async write(path: string, text: string): Promise<void> {
    await mkdir(dirname(this.path(path)), { recursive: true })
    await writeFile(this.path(path), text, { mode: 0o600 })
  }

  /** Runs lines of shell in this folder to their end. */
  async run(command: string): Promise<Finished> {
    const child = spawn('sh', ['-c', command], {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        HOME: this.folder,
        // Run as root, s-nail looks into root's own home for these.
        MAILRC: this.path('~/.mailrc'),
        NETRC: this.path('~/.netrc'),
        DEAD: this.path('~/dead.letter'),
        LC_ALL: 'C.UTF-8',
        TERM: 'dumb',
      },
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
    }
    const code = await new Promise<number | null>(resolve => {
      child.once('close', resolve)
    })
    return { code, output }
  }
}
