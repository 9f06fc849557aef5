import { rm } from 'node:fs/promises'
import { basename, join } from 'node:path'

import { createTransport } from 'nodemailer'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { commandLine } from '../cli/command-line.ts'
import { Daemon } from '../support/daemon.ts'
import { anyPortBase } from '../support/ports.ts'
import { makeScratch } from '../support/scratch.ts'
import { eventually } from '../support/server-process.ts'
import { documents } from './documents.ts'
import { faultOf, takesState } from './parsing.ts'
import { simpleCommands, wordsAfter } from './shell.ts'

/*
 * What the documents tell an operator to type is typed here, against a demo that runs.
 */

const BASE = await anyPortBase()
const ADMIN = 9464 + BASE

/** What is not only asked of a daemon: asks a person, is one itself, or is done by test/package/first-hour.test.ts. */
const ELSEWHERE =
  /^(?:demo|init|reload|restore|run|seed|queue rescue|directory (?:verify|ldif)|probe(?! list| pause| resume))/

/** A message in the queue, in the words of a document. */
const ID = /^(?:QUEUE-)?ID(?:\.\.\.)?$/
/** A path on the admin listener, in a sentence or behind its address. */
const URLS = /(?:^|\$A|:9464)(\/(?:api\/|metrics|healthz|readyz|canaries\/|seeds\/)[^\s"'`]*)/g

interface Line {
  readonly at: string
  readonly line: string
  readonly words: readonly string[]
}

/** Each command line once, where it can be asked of a daemon by its state folder. */
async function askable(): Promise<readonly Line[]> {
  const lines = new Map<string, Line>()
  for (const { blocks, spans } of documents()) {
    const pieces = [...blocks.filter(({ language }) => language === 'sh'), ...spans]
    for (const { text, at } of pieces) {
      for (const command of simpleCommands(text)) {
        const words = wordsAfter('mailcanary', command) ?? []
        const line = words.join(' ')
        if (lines.has(line) || ELSEWHERE.test(line)) continue
        if (!(await takesState(words))) continue
        // What is only named is no command line.
        if ((await faultOf(words)) === undefined) lines.set(line, { at, line, words })
      }
    }
  }
  return [...lines.values()]
}

const LINES = await askable()

describe('what operators type', () => {
  let folder: string
  let state: string
  let demo: Daemon

  beforeAll(async () => {
    folder = await makeScratch()
    state = join(folder, 'state')
    demo = Daemon.start(['demo', '--state', state, '--port-base', String(BASE)])
    await demo.ready(ADMIN)
    await demo.line(/ relay to gmail: /)
    await demo.line(/ old-server to gmail: /)
  })

  afterAll(async () => {
    await demo.stop()
    await rm(folder, { recursive: true, force: true })
  })

  /** Leaves a message in the queue, which a hold on its sender keeps there. @returns its id */
  async function queued(): Promise<string> {
    await done('queue', 'hold', '--login', 'alice')
    const transport = createTransport({
      host: '127.0.0.1',
      port: 2465 + BASE,
      secure: true,
      auth: { user: 'alice', pass: 'canary-demo' },
      tls: { rejectUnauthorized: false },
    })
    const from = 'alice@example.org'
    const mail = { from, to: 'seed@gmail.example', subject: 'x', text: 'x' }
    const { response } = await transport.sendMail(mail)
    transport.close()
    return /queued as (\w+)/.exec(response)?.[1] ?? ''
  }

  /** The words as somebody here would say them: the documents name examples. */
  async function here(words: readonly string[]): Promise<string[]> {
    const id = words.some(word => ID.test(word)) ? await queued() : ''
    const said = words.map((word, at) => {
      if (ID.test(word)) return id
      if (words[at - 1] === '--login') return 'alice'
      if (words[at - 1] === '--provider') return 'gmail'
      if (words[at - 1] === 'backup' || words[at - 1] === '--html')
        return join(folder, basename(word))
      return word
        .replace(/^(?:relay|ORIGIN)\/\S+$|^NAME$|^PROBE$/, 'relay/gmail')
        .replace(/^relay,(?:old|OTHER)$/, 'relay,old-server')
        .replace(/^LOGIN$/, 'alice')
        .replace(/^PSEUDONYM$/, () => /from (~\w{8})/.exec(demo.output)?.[1] ?? '')
    })
    return words.includes('drop') ? [...said, '--yes'] : said
  }

  /** Before something can end it must have begun. */
  async function begin([area = '', action = '', ...rest]: readonly string[]): Promise<void> {
    const first = { release: 'hold', resume: 'pause' }[action]
    // What a limit has kept back nobody has held.
    if (first !== undefined && !rest.includes('--state')) await done(area, first, ...rest)
  }

  async function done(...line: readonly string[]): Promise<void> {
    // What is being attempted at that moment is not touched, and is to be said again.
    const { code, output } = await eventually(async () => {
      const said = await commandLine(...line, '--state', state)
      return /say it again/.test(said.output) ? undefined : said
    }, line.join(' '))
    // No retrying passes a hold, and that is what it says.
    if (line[1] === 'retry' && /stays where it is: hold/.test(output)) return
    expect(code, `${line.join(' ')}: ${output}`).toBe(0)
  }

  afterEach(async () => {
    for (const hold of [['--everything'], ['--login', 'alice']]) {
      await commandLine('queue', 'release', ...hold, '--state', state)
    }
  })

  test.each(LINES)('$at mailcanary $line', async ({ words }) => {
    const line = await here(words)
    await begin(line)
    if (words.includes('release') && words.some(word => ID.test(word))) {
      await done('queue', 'release', '--login', 'alice')
    }
    await done(...line)
  })

  test('a report that cannot be written is a problem of whoever named the file', async () => {
    const said = await commandLine('report', '--html', folder, '--state', state)
    expect(said.code).toBe(1)
    expect(said.output).toContain(`${folder} cannot be written`)
  })

  test('every address of the admin listener that a document names is there', async () => {
    const list = await fetch(`http://127.0.0.1:${ADMIN}/api/canaries?limit=1`)
    const { canaries } = (await list.json()) as { canaries: { id: string }[] }
    const message = await queued()
    const named = documents().flatMap(({ spans }) =>
      spans.flatMap(({ text, at }) =>
        [...text.matchAll(URLS)].map(([, path = '']) => ({ path, at })),
      ),
    )
    expect(named.length).toBeGreaterThan(10)
    for (const { path, at } of named) {
      const where = path
        .replace('messages/ID', `messages/${message}`)
        .replace('/ID', `/${canaries[0]?.id}`)
        .replace('/NAME', '/gmail')
      const answer = await fetch(`http://127.0.0.1:${ADMIN}${where}`)
      await answer.body?.cancel()
      expect(answer.status, `${at} ${path}`).toBe(200)
    }
  })
})
