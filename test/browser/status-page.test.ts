import { rm } from 'node:fs/promises'
import { join } from 'node:path'

import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { SqliteHistory } from '../../src/probe/sqlite-history.ts'
import type { AdminServer } from '../../src/web/admin-server.ts'
import { compileBrowserCode } from '../support/browser-code.ts'
import { openPage, startChromium } from '../support/chromium.ts'
import { addCanary, sampleDay, sampleStatus, verdictOf } from '../support/sample-history.ts'
import { makeScratch } from '../support/scratch.ts'
import { missing } from '../support/server-process.ts'
import { barriers, drawnCharts, faintTexts, markRows, widthOf } from './in-page.ts'
import { pageServer } from './page-server.ts'

describe.skipIf(missing('chromium'))('the status page in a browser', () => {
  let folder: string
  let browser: Browser
  let history: SqliteHistory
  let server: AdminServer

  beforeAll(async () => {
    folder = await makeScratch()
    await compileBrowserCode(folder)
    browser = await startChromium()
  })
  afterAll(async () => {
    await browser.close()
    await rm(folder, { recursive: true, force: true })
  })

  beforeEach(async () => {
    history = new SqliteHistory(':memory:')
    server = pageServer(history, folder)
    await server.start()
  })
  afterEach(async () => {
    await Promise.all(browser.contexts().map(context => context.close()))
    await server.stop()
    await history.close()
  })

  async function open(
    options: { width?: number; colours?: 'light' | 'dark'; path?: string } = {},
  ): ReturnType<typeof openPage> {
    const { width = 1280, colours = 'light', path = '/' } = options
    return openPage(browser, { url: `http://127.0.0.1:${server.port}${path}`, width, colours })
  }

  async function picture(page: Page, name: string): Promise<void> {
    await page.screenshot({ path: join('test-output', `status-${name}.png`), fullPage: true })
  }

  it.each([
    [1280, 'light'],
    [1280, 'dark'],
    [375, 'light'],
    [375, 'dark'],
  ] as const)(
    'shows a day at %i pixels in %s colours: no complaint, no faint text, nothing beyond its width',
    async (width, colours) => {
      await sampleDay(history, Date.now())
      const { page, complaints } = await open({ width, colours })
      await page.waitForSelector('#canaries tbody tr')
      await picture(page, `${width}-${colours}`)
      expect(complaints).toEqual([])
      expect(await faintTexts(page)).toEqual([])
      expect(await barriers(page)).toEqual([])
      expect(await widthOf(page)).toBe(width)
      // The charts were drawn, not only placed.
      const drawn = await drawnCharts(page)
      expect(drawn.length).toBeGreaterThan(4)
      expect(drawn).not.toContain(false)
    },
  )

  it('says how many canaries every share is of', async () => {
    await sampleDay(history, Date.now())
    const { page } = await open()
    await page.waitForSelector('#canaries tbody tr')
    const shares = [
      ...(await page.locator('.matrix td:has(.share strong)').allTextContents()),
      ...(await page.locator('#real tbody td:nth-child(2)').allTextContents()),
    ]
    expect(shares).toHaveLength(8)
    for (const text of shares) expect(text).toMatch(/\d+ %.*\d+ of \d+/)
  })

  it('shows how old each seed account is, where that is known', async () => {
    await sampleDay(history, Date.now())
    const { page } = await open()
    await page.waitForSelector('#seeds tbody tr')
    const column = (n: number): Promise<string[]> =>
      page.locator(`#seeds tbody tr > :nth-child(${n})`).allTextContents()
    const [seeds, ages] = [await column(1), await column(3)]
    expect(Object.fromEntries(seeds.map((seed, i) => [seed, ages[i]]))).toEqual({
      'gmail-1': '13 months',
      'hotmail-1': '12 days',
      'yahoo-1': '–',
    })
  })

  it('tells who has sent nothing yet what to do', async () => {
    const { page, complaints } = await open()
    await page.waitForSelector('#empty:not([hidden])')
    expect(await page.textContent('#empty')).toContain('mailcanary probe --all')
    expect(await page.isVisible('#data')).toBe(false)
    await picture(page, 'empty')
    expect(complaints).toEqual([])
  })

  it('shows a new verdict by itself, and announces it', async () => {
    const { page } = await open()
    await page.waitForSelector('#empty:not([hidden])')
    await addCanary(history, { at: Date.now() - 1_000, verdict: verdictOf('spam') })
    server.changed()
    await page.waitForSelector('#canaries .chip.spam')
    expect(await page.textContent('h1')).toBe('0 of 1 canary reached the inbox')
    expect(await page.textContent('[aria-live]')).toBe('0 of 1 canary reached the inbox')
  })

  it('leaves alone what did not change, so that nothing flickers or loses its place', async () => {
    await addCanary(history, { at: Date.now() - 1_000, verdict: verdictOf('inbox') })
    const { page } = await open()
    await page.waitForSelector('#canaries tbody tr')
    await markRows(page)
    await addCanary(history, {
      at: Date.now() - 10_000,
      verdict: verdictOf('spam'),
      provider: 'yahoo',
    })
    server.changed()
    await page.waitForSelector('#canaries .chip.spam')
    // The table of seeds was not touched, the one of canaries was made anew.
    expect(await page.locator('#seeds tr[data-marked]').count()).toBe(4)
    expect(await page.locator('#canaries tbody tr[data-marked]').count()).toBe(0)
  })

  it('shows another time when one is picked by keyboard, and keeps it in the address', async () => {
    await addCanary(history, { at: Date.now() - 3 * 3_600_000, verdict: verdictOf('inbox') })
    const { page } = await open()
    await page.waitForSelector('#canaries tbody tr')
    await page.focus('input[value="24h"]')
    await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('ArrowLeft')
    await page.waitForSelector('h1:has-text("last hour")')
    expect(page.url()).toContain('?range=1h')
    expect(await page.textContent('h1')).toBe('No canary has been judged in the last hour')
  })

  it('keeps the last numbers and says that they are old when nobody answers', async () => {
    await addCanary(history, { at: Date.now() - 1_000, verdict: verdictOf('inbox') })
    const { page } = await open()
    await page.waitForSelector('#canaries tbody tr')
    await server.stop()
    await page.waitForSelector('#notice:not([hidden])')
    expect(await page.textContent('#notice')).toMatch(/does not answer.*numbers below are of/)
    expect(await page.isVisible('#canaries tbody tr')).toBe(true)
  })

  it('shows the words of a mail server as words', async () => {
    const reply = { code: 550, enhanced: '', text: '<img src=x onerror=alert(1)>' }
    await addCanary(history, {
      at: Date.now() - 1_000,
      verdict: { kind: 'bounced', stage: 'provider-refused', reply },
    })
    const { page, complaints } = await open()
    await page.waitForSelector('#canaries tbody tr')
    expect(await page.textContent('#canaries .said')).toContain('<img src=x')
    expect(await page.$('#canaries img')).toBeNull()
    expect(complaints).toEqual([])
  })

  it('can be used without seeing it: names, captions, headings in order', async () => {
    await sampleDay(history, Date.now())
    const { page } = await open()
    await page.waitForSelector('#canaries tbody tr')
    const faults = {
      'tables without a caption': 'table:not(:has(caption))',
      'headers without a scope': 'th:not([scope])',
      'charts without a description': 'canvas:not([aria-label])',
      'sections without a name': 'section:not([aria-labelledby])',
      'inputs without a label': ':is(input, select):not(label *)',
      'pictures without a text': 'img:not([alt])',
      'a group of inputs without a name': 'fieldset:not(:has(legend))',
    }
    for (const [fault, selector] of Object.entries(faults)) {
      expect(await page.locator(selector).count(), fault).toBe(0)
    }
    expect(await page.getAttribute('html', 'lang')).toBe('en')
    expect(await page.locator('h1').count()).toBe(1)
    expect(await page.getByRole('table').count()).toBe(5)
    expect(await page.getByRole('radio').count()).toBe(6)
  })

  it('lists what its filters let through, by keyboard, and keeps them in the address', async () => {
    await sampleDay(history, Date.now())
    const { page, complaints } = await open()
    await page.waitForSelector('#canaries tbody tr')
    const first = await page.locator('#canaries tbody tr').count()
    expect(first).toBeGreaterThan(20)
    expect(first).toBeLessThanOrEqual(25)
    await page.focus('#filter-verdict')
    await page.keyboard.press('b')
    await page.keyboard.press('Enter')
    await page.waitForSelector('#clear:not([hidden])')
    await page.locator('#filter-provider').selectOption('yahoo')
    await page.locator('#listed:text-is("8 canaries")').waitFor()
    const verdicts = await page.locator('#canaries .chip').allTextContents()
    expect(new Set(verdicts)).toEqual(new Set(['bounced']))
    expect(new URL(page.url()).search).toBe('?verdict=bounced&provider=yahoo')
    await page.reload()
    await page.waitForSelector('#canaries tbody tr')
    expect(await page.locator('#canaries tbody tr').count()).toBe(8)
    expect(await page.locator('#filter-verdict').inputValue()).toBe('bounced')
    await page.locator('#filter-origin').selectOption('old-server')
    await page.waitForSelector('#canaries-none:not([hidden])')
    expect(await page.getAttribute('#canaries-csv', 'href')).toContain('origin=old-server')
    await page.click('#clear')
    await page.waitForSelector('#canaries tbody tr')
    expect(new URL(page.url()).search).toBe('')
    await page.click('#more')
    await page.locator('#canaries tbody tr').nth(90).waitFor()
    expect(complaints).toEqual([])
  })

  it('leads from a number of the matrix to the canaries that it was counted from', async () => {
    await sampleDay(history, Date.now())
    const { page } = await open()
    await page.waitForSelector('#canaries tbody tr')
    await page.locator('#matrix').getByRole('link', { name: /spam/ }).first().press('Enter')
    await page.waitForSelector('#clear:not([hidden])')
    expect(new URL(page.url()).search).toBe('?origin=relay&provider=hotmail&verdict=spam')
    expect(await page.locator('#canaries .chip').first().textContent()).toBe('spam')
  })

  it.each([1280, 375])('keeps long names and many providers within %i pixels', async width => {
    const origin = 'the-server-that-we-had-before-and-that-nobody-dared-to-switch-off'
    for (let index = 0; index < 9; index++) {
      const provider = `provider-with-a-long-name-number-${index}`
      const at = Date.now() - 60_000 * (index + 1)
      await addCanary(history, { at, origin, provider, verdict: verdictOf('bounced') })
      await addCanary(history, { at, provider, verdict: verdictOf('inbox') })
    }
    const { page } = await open({ width })
    await page.waitForSelector('#canaries tbody tr')
    await picture(page, `long-${width}`)
    expect(await widthOf(page)).toBe(width)
    expect(await barriers(page)).toEqual([])
  })

  it.each([1280, 375])('has room for two hundred seeds within %i pixels', async width => {
    await server.stop()
    const seeds = Array.from({ length: 200 }, (_, index) => ({
      name: `${index}_account_of_the_department_of_physics_and_of_astronomy`,
      provider: 'gmail',
    }))
    server = pageServer(history, folder, {
      status: sampleStatus(history, Date.now, undefined, seeds),
    })
    await server.start()
    await addCanary(history, { at: Date.now() - 60_000, verdict: verdictOf('inbox') })
    for (const [index, { name }] of seeds.entries()) {
      const beganAt = Date.now() - 2_000
      const look = { seed: name, beganAt, endedAt: beganAt + 1_000, detail: '' }
      await history.looked(
        index % 10 === 9
          ? { ...look, complete: false, blindness: 'sign-in' }
          : { ...look, complete: true },
      )
    }
    const { page, complaints } = await open({ width })
    const rows = page.locator('#seeds tbody tr')
    await rows.first().waitFor()
    await picture(page, `seeds-${width}`)
    expect(await page.locator('#blind li').allTextContents()).toEqual([
      '20 of 200 mailboxes cannot be read: canaries to them are unknown, not lost.',
    ])
    expect(await rows.count()).toBeLessThan(20)
    expect(await rows.locator('.chip.bad').count()).toBe(await rows.count())
    await page.getByRole('button', { name: 'Show all 200' }).press('Enter')
    expect(await rows.count()).toBe(200)
    expect(await page.locator('#seeds-title:focus').count()).toBe(1)
    expect(await widthOf(page)).toBe(width)
    expect(await barriers(page)).toEqual([])
    await page.locator('#seeds a').first().click()
    await page.waitForSelector('#cells .cell')
    expect(await widthOf(page)).toBe(width)
    expect(complaints).toEqual([])
  })

  it('says where the numbers are where there are no scripts', async () => {
    await sampleDay(history, Date.now())
    const context = await browser.newContext({ javaScriptEnabled: false })
    const page = await context.newPage()
    await page.goto(`http://127.0.0.1:${server.port}/`)
    expect(await page.locator('main').textContent()).toContain('This page needs JavaScript')
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'by origin and provider, as CSV' }).click(),
    ])
    expect(file.suggestedFilename()).toBe('mailcanary-24h.csv')
  })

  it('gives the list as a file', async () => {
    await sampleDay(history, Date.now())
    const { page } = await open()
    await page.waitForSelector('#canaries tbody tr')
    const [file] = await Promise.all([page.waitForEvent('download'), page.click('#canaries-csv')])
    expect(file.suggestedFilename()).toBe('mailcanary-canaries.csv')
  })
})
