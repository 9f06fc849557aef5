import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { type Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { SqliteHistory } from '../../src/probe/sqlite-history.ts'
import { commandLine } from '../cli/command-line.ts'
import { openPage, startChromium } from '../support/chromium.ts'
import { fillHistory } from '../support/sample-period.ts'
import { makeScratch } from '../support/scratch.ts'
import { missing } from '../support/server-process.ts'

/* What an operator types, over a history of nine days, and what it makes. */
describe('report and compare', () => {
  let folder: string
  let probes: string

  beforeAll(async () => {
    folder = await makeScratch()
    const history = new SqliteHistory(join(folder, 'history.sqlite'))
    await fillHistory(history, { end: Date.now(), days: 9, perDay: 12 })
    await history.close()
    await writeFile(join(folder, 'password'), 'canary-demo\n', { mode: 0o600 })
    probes = join(folder, 'probes.yaml')
    const origin = '{submission: {host: 127.0.0.1, port: 1, tls: none}, from: canary@example.org}'
    await writeFile(
      probes,
      `state: ${folder}
origins: {relay: ${origin}, old: ${origin}}
seeds:
  gmail-1: {provider: gmail, address: seed@gmail.example, password_file: ${folder}/password}
probes:
  - {name: everyone, origins: [relay, old], seeds: [gmail-1], every: 10m}
`,
    )
  })

  afterAll(() => rm(folder, { recursive: true, force: true }))

  test('the report in text gives every rate its n and its interval', async () => {
    const { code, output } = await commandLine('report', '--probes', probes, '--since', '10d')
    expect(code).toBe(0)
    expect(output).toMatch(/gmail +relay +\d+(?:\.\d)? % \(\d+ of \d+, [\d.]+ % to [\d.]+ %\)/)
    expect(output).toContain('Seed accounts')
  })

  test('both give one document of JSON', async () => {
    const report = await commandLine('report', '--probes', probes, '--json')
    expect(JSON.parse(report.output)).toMatchObject({ canaries: 9 * 12 * 6 })
    const args = ['--origins', 'relay,old', '--probes', probes, '--json']
    const compared = await commandLine('compare', ...args)
    const { rates } = JSON.parse(compared.output) as { rates: { pairs: number }[] }
    expect(rates).toHaveLength(6)
    expect(rates.every(({ pairs }) => pairs > 90)).toBe(true)
  })

  test.each([
    [['compare', '--origins', 'relay'], 1, /name two origins with a comma/],
    [
      ['compare', '--origins', 'relay,nobody'],
      1,
      /no canary from nobody.*some from relay, old|old, relay/,
    ],
    [['report', '--since', 'yesterday'], 1, /yesterday: should be how long ago/],
    [['report', '--since', '1d', '--until', '2d'], 1, /ends before it begins/],
  ])('%j is refused with a sentence', async (args, expected, words) => {
    const { code, output } = await commandLine(...args, '--probes', probes)
    expect(code).toBe(expected)
    expect(output).toMatch(words)
  })

  test('a probe is paused and resumed where no daemon runs', async () => {
    const ask = (...args: string[]) => commandLine('probe', ...args, '--probes', probes)
    expect((await ask('pause', 'relay/gmail-1')).output).toMatch(
      /relay\/gmail-1 +everyone +now paused by/,
    )
    expect((await ask('pause', 'relay/gmail-1')).output).toMatch(/everyone +paused by/)
    const listed = (await ask('list', '--json')).output.split('\n')
    expect(listed.map(line => JSON.parse(line) as object)).toEqual([
      expect.objectContaining({ probe: 'relay/gmail-1', paused: expect.anything() as object }),
      { probe: 'old/gmail-1', group: 'everyone' },
    ])
    expect((await ask('resume', 'everyone')).output).toMatch(
      /relay\/gmail-1 +everyone +sends again/,
    )
    const wrong = await ask('pause', 'nobody')
    expect(wrong).toMatchObject({ code: 1 })
    expect(wrong.output).toMatch(/there is no probe nobody/)
  })

  describe.skipIf(missing('chromium'))('in Chromium', () => {
    let browser: Browser
    let file: string

    beforeAll(async () => {
      browser = await startChromium()
      file = join(folder, 'report.html')
      const args = ['--compare', 'relay,old', '--html', file, '--probes', probes]
      expect((await commandLine('report', ...args)).output).toBe(`written to ${file}`)
    })
    afterAll(() => browser.close())

    test.each([
      [1280, 'light'],
      [390, 'dark'],
    ] as const)('at %i pixels it loads nothing, runs nothing, fits', async (width, colours) => {
      const url = pathToFileURL(file).href
      const { page, complaints } = await openPage(browser, { url, width, colours })
      // The style is applied although the policy forbids all but this one.
      const background = await page.evaluate('getComputedStyle(document.body).backgroundColor')
      expect(background).toBe(colours === 'light' ? 'rgb(247, 246, 243)' : 'rgb(20, 23, 26)')
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
      expect(await page.locator('svg.days').count()).toBe(6)
      expect(await page.locator('svg.difference').count()).toBe(6)
      expect(complaints).toEqual([])
      await page.context().close()
    })

    test('nothing in it leads outside', async () => {
      const html = await readFile(file, 'utf8')
      expect(html).not.toMatch(/<script|<link|<img|url\(|\bhref=|\bsrc=|https?:/)
    })
  })
})
