import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import type { QueueAnswer } from '../../src/app/queue-control.ts'
import { operatorName } from '../../src/cli/operator.ts'
import { Daemon } from '../support/daemon.ts'
import { ssha } from '../support/password.ts'
import { makeScratch } from '../support/scratch.ts'
import { ScriptedSmtp, type Deed } from '../support/scripted-smtp.ts'
import { eventually, missing } from '../support/server-process.ts'
import { RELAY_NAME, Site } from '../support/site.ts'
import { commandLine, type Said } from './command-line.ts'
import { answerOnTerminal } from './terminal.ts'

const PASSWORD = 'canary-demo'
const GREYLISTED = '451 4.7.1 Greylisted, come back'
const ME = operatorName()
const OWNER = operatorName({})

/* A daemon of its own, commands that ask it, and a next hop that does what it is told. */
describe('the hands on the queue', () => {
  const deeds: { RCPT: Deed } = { RCPT: GREYLISTED }
  let folder: string
  let site: Site
  let next: ScriptedSmtp

  beforeAll(async () => {
    folder = await makeScratch()
    site = await Site.create(folder)
    next = await ScriptedSmtp.start({ deeds })
    const passwords = join(folder, 'passwords')
    const people = ['alice', 'dora'].map(login => `${login}:${ssha(PASSWORD)}\n`)
    await writeFile(passwords, people.join(''))
    await site.configure({
      directory: `  domains: [example.org]\n  export_file: {path: ${passwords}}`,
      delivery: `  smarthost: {host: 127.0.0.1, port: ${next.port}, tls: none}`,
    })
    await site.start()
  })

  beforeEach(async () => {
    deeds.RCPT = GREYLISTED
    next.messages.length = 0
    for (const words of [
      ['--everything'],
      ['--login', 'alice'],
      ['--destination', 'example.net'],
    ]) {
      await queue('release', ...words)
    }
    await queue('drop', '--all', '--yes')
  })

  afterAll(async () => {
    await site.stop()
    await next.stop()
    await rm(folder, { recursive: true, force: true })
  })

  /** Runs `mailcanary queue …` on the site's queue. */
  function queue(...args: string[]): Promise<Said> {
    return commandLine('queue', ...args, '--state', site.state)
  }

  async function json(...args: string[]): Promise<readonly QueueAnswer[]> {
    const { output } = await queue(...args, '--json')
    return output.split('\n').map(line => JSON.parse(line) as QueueAnswer)
  }

  /** What waits, as `STATE DESTINATION`. */
  async function states(): Promise<readonly string[]> {
    const answers = await json('list')
    return answers.flatMap(answer =>
      answer.kind === 'delivery' ? [`${answer.delivery.state} ${answer.delivery.domain}`] : [],
    )
  }

  /** @returns the queue id */
  async function submit(login: string, to: readonly string[]): Promise<string> {
    const transport = createTransport({
      host: '127.0.0.1',
      port: site.ports.submissions,
      secure: true,
      auth: { user: login, pass: PASSWORD },
      tls: { ca: site.certificates.caPem, servername: RELAY_NAME },
    })
    const { response } = await transport.sendMail({
      from: `${login}@example.org`,
      to: [...to],
      subject: 'hello',
      text: 'hello',
    })
    transport.close()
    return /queued as (\w+)/.exec(response)?.[1] ?? ''
  }

  /** Submits, and waits until the next hop has put it off. */
  async function submitted(login: string, to: string): Promise<string> {
    const id = await submit(login, [to])
    await eventually(async () => {
      const [answer] = await json('show', id)
      return answer?.kind === 'message' &&
        answer.record.recipients.every(one => one.attempts > 0 && one.active !== true)
        ? true
        : undefined
    }, `a first attempt of ${id}`)
    return id
  }

  test('the list says of each delivery why it is still here and when it is tried next', async () => {
    const id = await submitted('alice', 'bob@example.net')
    const { code, output } = await queue('list')
    expect(code).toBe(0)
    const [heading, row, summary] = output.split('\n')
    expect(heading).toMatch(/^ID +AGE +STATE +DESTINATION +TRIES +NEXT TRY +LOGIN +REASON$/)
    expect(row).toMatch(
      new RegExp(
        `^${id} +\\S+ +queued +example\\.net +1 +in \\d.* \\([\\d: -]+\\) +alice +.*451 4\\.7\\.1 Greylisted, come back$`,
      ),
    )
    expect(row?.indexOf('queued')).toBe(heading?.indexOf('STATE'))
    expect(summary).toMatch(/^1 delivery; in the queue: 1 queued, 0 active, 0 held; the oldest has/)
  })

  test('the built program says the same, and nothing but JSON where that is asked for', async () => {
    const id = await submitted('alice', 'bob@example.net')
    const listed = await Daemon.run(['queue', 'list', '--json', '--state', site.state])
    expect(listed).toMatchObject({ code: 0, output: (await queue('list', '--json')).output })
    const kinds = listed.output.split('\n').map(line => (JSON.parse(line) as QueueAnswer).kind)
    expect(kinds).toEqual(['queue', 'delivery', 'listed'])
    const env = { SUDO_USER: 'anna', SUDO_UID: '1000' }
    expect(await Daemon.run(['queue', 'hold', id, '--state', site.state], env)).toMatchObject({
      code: 0,
      output: `${id} to example.net is held\n1 delivery held`,
    })
    const shown = await queue('show', id)
    expect(shown.output).toContain(`held  held by anna (uid 1000) as ${OWNER}; 1 attempt`)
  })

  test('filters narrow the list; where nothing is found it says so', async () => {
    await submitted('alice', 'bob@example.net')
    await submitted('dora', 'bob@example.com')
    const found = async (...filters: string[]): Promise<number> => {
      const answers = await json('list', ...filters)
      return answers.filter(({ kind }) => kind === 'delivery').length
    }
    expect(await found()).toBe(2)
    expect(await found('--destination', 'EXAMPLE.net')).toBe(1)
    expect(await found('--login', 'dora', '--state', 'queued')).toBe(1)
    expect(await found('--login', 'dora', '--destination', 'example.net')).toBe(0)
    expect(await found('--state', 'held')).toBe(0)
    expect(await found('--provider', 'gmail')).toBe(0)
    expect(await found('--provider', 'other')).toBe(2)
    expect(await found('--older-than', '1h')).toBe(0)
    expect(await found('--limit', '1')).toBe(1)
    expect((await queue('list', '--limit', '1')).output).toContain('and there are more')
    expect((await queue('list', '--older-than', '1h')).output).toMatch(/^nothing found; in the/)
  })

  test('retry tries now what would have waited', async () => {
    const id = await submitted('alice', 'bob@example.net')
    deeds.RCPT = '250 2.1.5 OK'
    const { code, output } = await queue('retry', id.toLowerCase())
    expect(output).toBe(`${id} to example.net is due now\n1 delivery due now`)
    expect(code).toBe(0)
    await eventually(() => (next.messages.length === 1 ? true : undefined), 'the delivery')
    const again = await queue('retry', id, 'ZZZZZZZZZZZZZZZZ')
    expect(again.code).toBe(1)
    expect(again.output).toContain(`${id} has reached its end`)
    expect(again.output).toContain('ZZZZZZZZZZZZZZZZ is not known')
  })

  test.each([
    ['--login alice', 'held example.net', 'queued example.com'],
    ['--destination example.net', 'held example.net', 'queued example.com'],
    ['--everything', 'held example.net', 'held example.com'],
  ])(
    'hold %s keeps back what is there and what comes, until the same words release it',
    async (words, ...expected) => {
      await submitted('alice', 'bob@example.net')
      const held = await queue('hold', ...words.split(' '))
      expect(held).toMatchObject({ code: 0 })
      expect(held.output).toMatch(/is set and keeps back 1 delivery, and what comes/)
      deeds.RCPT = '250 2.1.5 OK'
      await submit('alice', ['carol@example.net'])
      const other = await submit('dora', ['bob@example.com'])
      // What no hold names goes at once; by then the rest would have gone too.
      if (expected.includes('queued example.com')) {
        await eventually(() => (next.messages.length > 0 ? true : undefined), 'the free one')
        expect(String(next.messages[0]?.rcpt)).toContain('bob@example.com')
        expect(await states()).toEqual(['held example.net', 'held example.net'])
        expect(await site.metric('mailcanary_relay_queue_messages', 'state="held"')).toBe(2)
      } else {
        const retried = await queue('retry', other)
        expect(retried.code).toBe(1)
        expect(retried.output).toContain(`stays where it is: hold on everything by ${ME}`)
        expect(await states()).toEqual(['held example.net', 'held example.net', 'held example.com'])
        expect(await site.metric('mailcanary_relay_queue_messages', 'state="held"')).toBe(3)
        expect(next.messages).toHaveLength(0)
      }
      expect((await queue('list')).output).toMatch(
        /^HELD: hold on .*, set .* by .*: \d deliveries$/m,
      )
      expect((await queue('release', '--destination', 'exampel.net')).code).toBe(1)
      const released = await queue('release', ...words.split(' '))
      expect(released.output).toMatch(/has ended; it kept back/)
      // The second of the held was never tried, so it is due.
      await eventually(() => (next.messages.length > 1 ? true : undefined), 'what was released')
      expect((await queue('release', ...words.split(' '))).code).toBe(1)
    },
  )

  test('a word of the switch that is mistyped does nothing', async () => {
    await submitted('alice', 'bob@example.net')
    await queue('hold', '--everything')
    for (const wrong of [
      ['release', '--everthing'],
      ['release', '--destination', '@'],
      ['release', '--login', 'alice@example.org'],
      ['release', '--login'],
      ['release', '--everything', '--login', 'alice'],
      ['release'],
      ['retry'],
      ['drop', '--yes'],
      ['drop', '--state', 'hled', '--yes'],
      ['drop', '--login', 'alice'],
      ['drop', 'ABC', '--yes'],
    ]) {
      expect((await queue(...wrong)).code, wrong.join(' ')).toBeGreaterThan(0)
    }
    expect(await states()).toEqual(['held example.net'])
  })

  test('what is being attempted is left alone, and its result is kept', async () => {
    deeds.RCPT = { stall: true }
    const id = await submit('alice', ['bob@example.net'])
    await eventually(
      async () => ((await states())[0] === 'active example.net' ? true : undefined),
      'an attempt',
    )
    for (const action of [['retry'], ['hold'], ['drop', '--yes']]) {
      const { code, output } = await queue(...action, id)
      expect(code).toBe(1)
      expect(output).toContain('is being attempted at this moment and was left alone')
    }
    await queue('hold', '--everything')
    expect(await states()).toEqual(['active example.net'])
    deeds.RCPT = '250 2.1.5 OK'
    next.cut()
    await eventually(
      async () => ((await states())[0] === 'held example.net' ? true : undefined),
      'its end',
    )
    const { output } = await commandLine('trace', id, '--state', site.state)
    expect(output).toMatch(/bob@example\.net: not now, at .*\n/)
    await queue('release', '--everything')
    await queue('retry', id)
    await eventually(() => (next.messages.length === 1 ? true : undefined), 'the delivery')
  })

  test('drop removes for good, and the trace says who did it', async () => {
    const id = await submitted('alice', 'bob@example.net')
    const removed = await site.metric('mailcanary_relay_recipients_total', 'final="removed"')
    const refused = await queue('drop', id)
    expect(refused).toMatchObject({ code: 1 })
    expect(refused.output).toMatch(/drop asks on a terminal/)
    expect(await states()).toEqual(['queued example.net'])
    expect((await queue('drop', id, '--yes')).output).toContain('1 delivery removed')
    expect(await states()).toEqual([])
    expect(await site.metric('mailcanary_relay_recipients_total', 'final="removed"')).toBe(
      removed + 1,
    )
    const { code, output } = await commandLine('trace', id, '--state', site.state)
    expect(code).toBe(0)
    const lines = output.split('\n')
    expect(lines[0]).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}\+0ms +accepted from alice@example\.org, login alice: \d+ octets for 1 recipient$/,
    )
    expect(lines[1]).toMatch(
      /\+\d.* bob@example\.net: not now, at \S+ in clear text: 451 4\.7\.1 Greylisted, come back$/,
    )
    expect(lines[2]).toContain(`example.net: removed by ${ME}`)
    expect(lines.at(-1)).toMatch(/^bob@example\.net {2}removed {2}by an operator; /)
  })

  test.skipIf(missing('script'))('on a terminal drop asks first', async () => {
    const id = await submitted('alice', 'bob@example.net')
    const program = new URL('../../dist/main.js', import.meta.url).pathname
    const command = `${process.execPath} ${program} queue drop ${id} --state ${site.state}`
    expect(await answerOnTerminal(command, /\[y\/N\]/, 'n\n')).toContain('nothing was removed')
    expect(await states()).toHaveLength(1)
    expect(await answerOnTerminal(command, /Remove 1 delivery for good/, 'y\n')).toContain(
      '1 delivery removed',
    )
    expect(await states()).toEqual([])
  })

  test('show and trace know a message by its Message-ID; an unknown one ends with 1', async () => {
    const id = await submitted('alice', 'bob@example.net')
    const shown = await queue('show', id)
    expect(shown.output).toContain('bob@example.net  queued  next attempt in')
    const messageId = /^Message-ID +<(\S+)>$/m.exec(shown.output)?.[1] ?? ''
    const traced = await commandLine('trace', messageId, '--relay', site.relayFile, '--json')
    expect(JSON.parse(traced.output)).toMatchObject({ record: { message: { id } } })
    for (const args of [['trace'], ['queue', 'show']]) {
      const unknown = await commandLine(...args, 'ZZZZZZZZZZZZZZZZ', '--state', site.state)
      expect(unknown).toEqual({ code: 1, output: 'there is no message ZZZZZZZZZZZZZZZZ' })
    }
  })

  test('without a daemon the commands open the queue themselves, and what they said holds afterwards', async () => {
    const id = await submitted('alice', 'bob@example.net')
    await site.stop()
    expect((await queue('list')).output).toContain(id)
    expect((await queue('hold', '--login', 'alice')).code).toBe(0)
    expect((await queue('retry', id)).code).toBe(1)
    const nowhere = await commandLine('queue', 'list', '--state', join(folder, 'nowhere'))
    expect(nowhere).toMatchObject({ code: 1 })
    expect(nowhere.output).toContain('there is no queue in')
    deeds.RCPT = '250 2.1.5 OK'
    await site.start()
    expect(await states()).toEqual(['held example.net'])
    await queue('release', '--login', 'alice')
    await queue('retry', id)
    await eventually(() => (next.messages.length === 1 ? true : undefined), 'the delivery')
  })
})
