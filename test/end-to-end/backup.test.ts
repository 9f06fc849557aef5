import { appendFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { Daemon } from '../support/daemon.ts'
import { ssha } from '../support/password.ts'
import { makeScratch } from '../support/scratch.ts'
import { ScriptedSmtp } from '../support/scripted-smtp.ts'
import { eventually } from '../support/server-process.ts'
import { RELAY_NAME, Site } from '../support/site.ts'

const PASSWORD = 'canary-demo'

describe('the drill: everything is lost but a backup', () => {
  let folder: string
  let site: Site
  let nextHop: ScriptedSmtp
  /** Subjects that were answered with 250, in order. */
  const ledger: string[] = []

  beforeAll(async () => {
    folder = await makeScratch()
    site = await Site.create(folder)
    nextHop = await ScriptedSmtp.start()
    const passwords = join(folder, 'passwords')
    await writeFile(passwords, `alice:${ssha(PASSWORD)}\n`)
    await site.configure({
      directory: `  domains: [example.org]\n  export_file: {path: ${passwords}}`,
      delivery: `  smarthost: {host: 127.0.0.1, port: ${nextHop.port}, tls: none}`,
    })
    await site.start()
    await command('queue', 'hold', '--everything')
  })

  afterAll(async () => {
    await site.stop()
    await nextHop.stop()
    await rm(folder, { recursive: true, force: true })
  })

  async function command(...words: string[]): Promise<string> {
    const { code, output } = await Daemon.run([...words, '--relay', site.relayFile])
    if (code !== 0) throw new Error(output)
    return output
  }

  async function send(subject: string): Promise<void> {
    const transport = createTransport({
      host: '127.0.0.1',
      port: site.ports.submissions,
      secure: true,
      auth: { user: 'alice', pass: PASSWORD },
      tls: { ca: site.certificates.caPem, servername: RELAY_NAME },
    })
    // Every third is one of those that are files of their own.
    const text = 'x'.repeat(ledger.length % 3 === 0 ? 300_000 : 50_000)
    await transport.sendMail({ from: 'alice@example.org', to: 'bob@example.net', subject, text })
    ledger.push(subject)
    transport.close()
  }

  function arrived(): string[] {
    return nextHop.messages.map(
      ({ data }) => /^Subject: (.*)$/m.exec(String(data))?.[1]?.trim() ?? '',
    )
  }

  test('a backup is taken while mail comes in, and is for its owner alone', async () => {
    for (let n = 0; n < 20; n++) await send(`before-${n}`)
    const over = new AbortController()
    const load = (async () => {
      for (let n = 0; !over.signal.aborted; n++) await send(`during-${n}`)
    })()
    const said = await command('backup', join(folder, 'backup'))
    over.abort()
    await load
    expect(said).toMatch(/^backed up \d+ files \([\d.]+ MiB\) from .*state to .*backup$/)
    const entries = await readdir(join(folder, 'backup'), { recursive: true, withFileTypes: true })
    const names = entries.map(({ name }) => name)
    expect(names).toContain('queue.sqlite')
    expect(names).toContain('directory.json')
    expect(names).not.toContain('lock.sqlite')
    expect(
      entries.filter(({ parentPath }) => parentPath.endsWith('queue.bodies')).length,
    ).toBeGreaterThan(6)
    for (const entry of entries) {
      const { mode } = await stat(join(entry.parentPath, entry.name))
      expect(mode & 0o777, entry.name).toBe(entry.isDirectory() ? 0o700 : 0o600)
    }
    // It lets go of what it held.
    expect(
      (await readdir(join(site.state, 'queue.bodies'))).filter(name => name.startsWith('backup')),
    ).toEqual([])
  })

  test('a running daemon’s state is not restored over, and a damaged backup not at all', async () => {
    await expect(command('restore', join(folder, 'backup'))).rejects.toThrow(
      /is in use by another mailcanary/,
    )
    const broken = join(folder, 'broken')
    await command('backup', broken)
    await appendFile(join(broken, 'directory.json'), ' ')
    await rm(join(broken, 'limits.key'))
    const { code, output } = await Daemon.run(['restore', broken, '--state', join(folder, 'new')])
    expect(code).toBe(1)
    expect(output).toMatch(/directory\.json is not what it was when the backup was made/)
    expect(output).toMatch(/limits\.key is not there/)
    expect((await readdir(join(folder, 'new'))).filter(name => name !== 'lock.sqlite')).toEqual([])
  })

  test('restored, nothing of it is lost, and nothing leaves before an operator has looked', async () => {
    site.daemon?.signal('SIGKILL')
    await site.daemon?.ended
    await rm(site.state, { recursive: true })

    const said = await command('restore', join(folder, 'backup'))
    expect(said).toMatch(/^held: \d+ that were queued then/m)
    await site.start()
    // Nothing has been read anew from the directory's source before mail is taken.
    await send('after')
    expect(arrived()).toEqual([])
    await command('queue', 'release', '--everything')
    const wanted = [...ledger.filter(subject => subject.startsWith('before-')), 'after']
    await eventually(
      () => wanted.every(subject => arrived().includes(subject)) || undefined,
      'what was queued at the backup, and what came after',
    )
    // What came after the backup is lost, and nothing came twice.
    expect(new Set(arrived()).size).toBe(arrived().length)
  })
})
