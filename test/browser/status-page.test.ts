import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'

import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { createHealth } from '../../src/observe/health.ts'
import { SqliteHistory } from '../../src/probe/sqlite-history.ts'
import type { MessageRecord } from '../../src/relay/queue/store.ts'
import { AdminServer } from '../../src/web/admin-server.ts'
import { RealMailTally } from '../../src/web/real-mail.ts'
import { compileBrowserCode } from '../support/browser-code.ts'
import { openPage, startChromium } from '../support/chromium.ts'
import {
  addCanary,
  PROVIDERS,
  realMailEvents,
  sampleDay,
  sampleStatus,
  verdictOf,
} from '../support/sample-history.ts'
import { makeScratch } from '../support/scratch.ts'
import { missing } from '../support/server-process.ts'
import { drawnCharts, faintTexts, lookAgain, markRows, widthOf } from './in-page.ts'

function deferredMessage(id: string, at: number): MessageRecord {
  return {
    message: {
      id,
      login: 'canary',
      acceptedAt: at,
      messageId: '',
      size: 900,
      envelope: { reversePath: '', recipients: [], eightBit: false, smtputf8: false },
    },
    recipients: [],
    timeline: [
      {
        at,
        kind: 'deferred',
        domain: 'example.net',
        host: 'mx.example.net',
        reply: '421 4.7.0 later',
        tls: 'TLSv1.3',
        note: '',
      },
    ],
  }
}

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
    const real = new RealMailTally({ clock: Date.now, providers: PROVIDERS })
    for (const event of realMailEvents()) real.record(event)
    server = new AdminServer({
      host: '127.0.0.1',
      port: 0,
      metrics: async () => ({ contentType: 'text/plain', text: '' }),
      health: createHealth({ alive: [], ready: [] }),
      status: sampleStatus(history, Date.now, real),
      trace: async id => deferredMessage(id, Date.now() - 30_000),
      assets: { page: resolve('src/web/page'), browser: folder },
    })
    await server.start()
  })
  afterEach(async () => {
    await Promise.all(browser.contexts().map(context => context.close()))
    await server.stop()
    await history.close()
  })

  async function open(
    options: { width?: number; colours?: 'light' | 'dark'; hash?: string } = {},
  ): ReturnType<typeof openPage> {
    const { width = 1280, colours = 'light', hash = '' } = options
    return openPage(browser, { url: `http://127.0.0.1:${server.port}/${hash}`, width, colours })
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
    await lookAgain(page)
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
    expect(page.url()).toContain('#1h')
    expect(await page.textContent('h1')).toBe('No canary has been judged in the last hour')
  })

  it('keeps the last numbers and says that they are old when nobody answers', async () => {
    await addCanary(history, { at: Date.now() - 1_000, verdict: verdictOf('inbox') })
    const { page } = await open()
    await page.waitForSelector('#canaries tbody tr')
    await server.stop()
    await lookAgain(page)
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

  it('tells the story of one canary, in order of time and in the words of those who spoke', async () => {
    const at = Date.now() - 60_000
    await addCanary(history, { at, verdict: verdictOf('bounced') })
    const { page, complaints } = await open()
    await page.getByRole('button', { name: 'relay to gmail-1' }).press('Enter')
    await page.waitForSelector('.moments li')
    const moments = await page.locator('.moments li').allTextContents()
    expect(moments.map(text => text.replace(/^[\d:]+/, ''))).toEqual([
      'taken by relay 01HZXAMP0E000001',
      'relay: deferred by mx.example.net TLSv1.3 421 4.7.0 later',
      expect.stringMatching(/^judged bounced 550 5\.7\.1 .*S3150/),
    ])
    expect(await page.textContent('#details-title')).toBe('From relay to gmail-1')
    expect(await page.textContent('#details')).toContain('refused by the provider')
    await page.screenshot({ path: join('test-output', 'status-canary.png') })
    await page.keyboard.press('Escape')
    expect(await page.isVisible('#details')).toBe(false)
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
      'inputs without a label': 'input:not(label input)',
      'pictures without a text': 'img:not([alt])',
      'a group of inputs without a name': 'fieldset:not(:has(legend))',
    }
    for (const [fault, selector] of Object.entries(faults)) {
      expect(await page.locator(selector).count(), fault).toBe(0)
    }
    expect(await page.getAttribute('html', 'lang')).toBe('en')
    expect(await page.locator('h1').count()).toBe(1)
    expect(await page.locator('h3, h4').count()).toBe(0)
    expect(await page.getByRole('table').count()).toBe(5)
    expect(await page.getByRole('radio').count()).toBe(6)
  })
})
