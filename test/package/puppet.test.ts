import { execFile } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'

import { probesSchema } from '../../src/config/probes-schema.ts'
import { relaySchema } from '../../src/config/relay-schema.ts'
import { makeScratch } from '../support/scratch.ts'
import { missing } from '../support/server-process.ts'

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '..', '..')
const MODULES = join(ROOT, 'deploy', 'puppet')
const MODULE = join(MODULES, 'mailcanary')

describe.skipIf(missing('puppet', 'puppet-lint', 'rspec'))('the Puppet module', () => {
  function inModule(program: string, ...args: string[]): Promise<{ stdout: string }> {
    return run(program, args, { cwd: MODULE })
  }

  test('is valid, and as Puppet’s style guide wants it', async () => {
    await inModule('puppet', 'parser', 'validate', '.')
    await inModule(
      'puppet',
      'epp',
      'validate',
      'templates/settings.yaml.epp',
      'templates/default.epp',
    )
    const lint = await inModule('puppet-lint', '--fail-on-warnings', '--no-140chars-check', MODULE)
    expect(lint.stdout).toBe('')
  })

  test('its own examples hold', async () => {
    const { stdout } = await inModule('rspec')
    expect(stdout).toMatch(/^[1-9]\d* examples, 0 failures$/m)
  })

  test.each([
    ['relay', relaySchema],
    ['probes', probesSchema],
  ])('knows the sections of %s.yaml', async (name, schema) => {
    const type = await readFile(join(MODULE, 'types', `${name}.pp`), 'utf8')
    const keys = [...type.matchAll(/^ {2}(?:Optional\[)?([a-z_]+)\]? +=>/gm)].map(
      ([, key = '']) => key,
    )
    expect(keys.toSorted()).toEqual(Object.keys(schema.shape).toSorted())
  })

  test.each(['relay.yaml', 'probes.yaml'])(
    'writes what was meant: %s comes back the same',
    async file => {
      const folder = await makeScratch()
      const settings: unknown = parse(await readFile(join(ROOT, file), 'utf8'))
      const values = join(folder, 'values.yaml')
      await writeFile(values, JSON.stringify({ settings }))
      const { stdout } = await inModule(
        'puppet',
        'epp',
        'render',
        '--modulepath',
        MODULES,
        '--values_file',
        values,
        'mailcanary/settings.yaml.epp',
      )
      expect(parse(stdout)).toEqual(settings)
      await rm(folder, { recursive: true, force: true })
    },
  )
})
