import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { expect, test } from 'vitest'

import { scratchFolder } from '../support/scratch.ts'
import { findProgram, missing } from '../support/server-process.ts'
import { documents, isForPrometheus, ROOT, type Block, promQueries } from './documents.ts'

/*
 * What a document shows for another program is read by that program. docs/clients.md and docs/directory.md have tests of
 * their own, which follow them.
 */

function blocksOf(which: (block: Block) => boolean): readonly Block[] {
  const found = documents().flatMap(({ blocks }) => blocks.filter(which))
  expect(found.length).toBeGreaterThan(0)
  return found
}

async function run(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(findProgram(program) ?? program, args)
  return stdout
}

test.skipIf(missing('promtool'))('Prometheus takes its configuration', async () => {
  const file = join(await scratchFolder(), 'prometheus.yml')
  for (const { at, text } of blocksOf(isForPrometheus)) {
    const here = text
      .replaceAll('/usr/share/doc/mailcanary/', `${ROOT}/`)
      .replaceAll('/etc/mailcanary/', `${ROOT}/LICENSE#`)
    await writeFile(file, here)
    await expect(run('promtool', 'check', 'config', '--syntax-only', file), at).resolves.toContain(
      'SUCCESS',
    )
  }
})

test.skipIf(missing('promtool'))('Prometheus takes every expression', async () => {
  const file = join(await scratchFolder(), 'rules.json')
  const rules = promQueries().map(({ text }, index) => ({
    record: `document:${index}`,
    expr: text,
  }))
  await writeFile(file, JSON.stringify({ groups: [{ name: 'documents', rules }] }))
  await expect(run('promtool', 'check', 'rules', file)).resolves.toContain('SUCCESS')
})

test.skipIf(missing('puppet'))('Puppet reads its manifests', async () => {
  const folder = await scratchFolder()
  const files: string[] = []
  for (const [index, { text }] of blocksOf(({ language }) => language === 'puppet').entries()) {
    files.push(join(folder, `${index}.pp`))
    await writeFile(files[index] ?? '', text)
  }
  await expect(run('puppet', 'parser', 'validate', ...files)).resolves.toBe('')
})

test.skipIf(missing('nginx'))('nginx takes what a proxy has to say', async () => {
  const folder = await scratchFolder()
  for (const { at, text } of blocksOf(({ language }) => language === 'nginx')) {
    const file = join(folder, 'nginx.conf')
    await writeFile(
      file,
      `pid ${folder}/pid; error_log stderr; events {}
http {
  access_log off;
  server { listen 127.0.0.1:1; location / { proxy_pass http://127.0.0.1:2; ${text} } }
}`,
    )
    await expect(run('nginx', '-t', '-q', '-c', file), at).resolves.toBe('')
  }
})

test.skipIf(missing('slaptest'))('slapd takes its access rules', async () => {
  const folder = await scratchFolder()
  for (const { at, text } of blocksOf(({ language }) => language === 'slapd')) {
    const file = join(folder, 'slapd.conf')
    await writeFile(
      file,
      `include /etc/ldap/schema/core.schema
attributetype ( 1.3.6.1.4.1.32473.1.1 NAME 'mailPassword' SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix "dc=example,dc=org"
directory ${folder}
${text}
`,
    )
    await expect(run('slaptest', '-u', '-f', file), at).resolves.toBeDefined()
  }
})
