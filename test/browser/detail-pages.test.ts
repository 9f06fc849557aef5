import { rm } from 'node:fs/promises'
import { join } from 'node:path'

import type { Browser, Page } from 'playwright-core'
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  onTestFinished,
} from 'vitest'

import { createAuthority } from '../../src/base/certificate.ts'
import { Secret } from '../../src/base/secret.ts'
import { ServerIdentities } from '../../src/base/server-tls.ts'
import { SqliteHistory } from '../../src/probe/sqlite-history.ts'
import type { AdminServer } from '../../src/web/admin-server.ts'
import { LiveStatus } from '../../src/web/live-status.ts'
import { PublicServer } from '../../src/web/public-server.ts'
import { publicStatusRoutes } from '../../src/web/public-status.ts'
import { publicView } from '../../src/web/status-view.ts'
import { sighting } from '../contract/history-samples.ts'
import { compileBrowserCode } from '../support/browser-code.ts'
import { openPage, startChromium } from '../support/chromium.ts'
import { addCanary, sampleDay, sampleStatus, verdictOf } from '../support/sample-history.ts'
import { makeScratch } from '../support/scratch.ts'
import { missing } from '../support/server-process.ts'
import { barriers, faintTexts, widthOf } from './in-page.ts'
import { pageFolder, pageServer } from './page-server.ts'

const WAYS = [
  [1280, 'light'],
  [375, 'dark'],
] as const

const HEADER = [
  'Delivered-To: seed@gmail.example',
  'Received: by 2002:a05:6402:1d48:b0:5e4 with SMTP id n8csp123; Thu, 15 Jan 2026 12:00:09 +0000 (UTC)',
  'Received: from relay.example.org (relay.example.org. [192.0.2.25])',
  ' by mx.google.example with ESMTPS id a640c23a62f3a for <seed@gmail.example>',
  ' (version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256); Thu, 15 Jan 2026 12:00:04 +0000 (UTC)',
  'Received: from localhost by relay.example.org with ESMTPSA id 01HZXAMP0E000001; Thu, 15 Jan 2026 12:00:03 +0000',
  'Subject: Room for the next meeting',
  '',
].join('\r\n')

describe.skipIf(missing('chromium'))('the pages about one thing, in a browser', () => {
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

  const at = (path: string): string => `http://127.0.0.1:${server.port}${path}`

  async function expectSound(page: Page, width: number, name: string): Promise<void> {
    await page.screenshot({ path: join('test-output', `status-${name}.png`), fullPage: true })
    expect(await faintTexts(page)).toEqual([])
    expect(await barriers(page)).toEqual([])
    expect(await widthOf(page)).toBe(width)
  }

  it.each(WAYS)(
    'tells the story of one canary at %i pixels in %s colours',
    async (width, colours) => {
      const sent = Date.now() - 60_000
      const { id } = await addCanary(history, { at: sent, verdict: verdictOf('inbox', 6) })
      await history.sighted(
        id,
        sighting({ header: HEADER, seenAt: sent + 6_500, tab: 'promotions' }),
      )
      const url = at(`/canaries/${id}`)
      const { page, complaints } = await openPage(browser, { url, width, colours })
      await page.waitForSelector('#moments li')
      const moments = await page.locator('#moments li').allTextContents()
      expect(moments.map(text => text.replace(/^.*?\d\d:\d\d:\d\d/, ''))).toEqual([
        'relay took it as 01HZXAMP0E000001',
        expect.stringMatching(
          /^\+[\d.]+ m?sRelay deferred at mx\.example\.net \(TLSv1\.3\)421 4\.7\.0 later$/,
        ),
        '+6.5 sMailbox has it in INBOX (tab promotions)',
        '+60 sVerdict: inbox',
      ])
      expect(await page.textContent('#summary')).toContain('Found in the inbox after 6 s')
      const hops = await page.locator('#hops tbody tr').allTextContents()
      expect(hops).toHaveLength(3)
      expect(hops[1]).toMatch(/^mx\.google\.examplerelay\.example\.orgESMTPSTLSv1\.3.*1 s$/)
      await page.locator('summary').press('Enter')
      expect(await page.textContent('#headers pre')).toContain('Room for the next meeting')
      await expectSound(page, width, `canary-${width}-${colours}`)
      expect(complaints).toEqual([])
    },
  )

  it('tells the last that a relay on another host says of a canary', async () => {
    const sent = Date.now() - 60_000
    const { id } = await addCanary(history, { at: sent, verdict: verdictOf('missing') })
    const there = pageServer(history, folder, {
      trace: async () => undefined,
      fateElsewhere: async () => ({
        kind: 'delivered',
        at: sent + 700,
        reply: { code: 250, enhanced: '2.0.0', text: 'OK' },
        host: 'mx.example.net',
        tls: 'TLSv1.3',
      }),
    })
    await there.start()
    onTestFinished(() => there.stop())
    const url = `http://127.0.0.1:${there.port}/canaries/${id}`
    const { page, complaints } = await openPage(browser, { url, width: 1280 })
    await page.waitForSelector('#moments li')
    const moments = await page.locator('#moments li').allTextContents()
    expect(moments[1]).toMatch(/Relay delivered at mx\.example\.net \(TLSv1\.3\)250 2\.0\.0 OK$/)
    // There is no message of this host to lead to.
    expect(await page.locator('a[href^="/api/messages/"]').count()).toBe(0)
    expect(complaints).toEqual([])
  })

  it('shows by itself when a canary that was on its way is judged', async () => {
    const { id } = await addCanary(history, { at: Date.now() })
    const { page } = await openPage(browser, { url: at(`/canaries/${id}`), width: 1280 })
    await page.waitForSelector('#summary .chip.pending')
    await history.decide(id, verdictOf('missing'), Date.now())
    server.changed()
    await page.waitForSelector('#summary .chip.missing')
    expect(await page.textContent('#summary')).toContain('accepted by the provider, never seen')
  })

  it('says so where there is no such canary, and no such seed', async () => {
    const { page } = await openPage(browser, { url: at('/canaries/NONE'), width: 1280 })
    await page.waitForSelector('h1:has-text("There is no such canary")')
    await page.goto(at('/seeds/none'))
    await page.waitForSelector('h1:has-text("There is no such seed")')
  })

  it.each(WAYS)('reports one seed at %i pixels in %s colours', async (width, colours) => {
    await sampleDay(history, Date.now())
    const url = at('/seeds/hotmail-1?range=24h')
    const { page, complaints } = await openPage(browser, { url, width, colours })
    await page.waitForSelector('#canaries tbody tr')
    expect(await page.locator('.cell').allTextContents()).toEqual([
      expect.stringMatching(/^From relay\d+ %.*of 1[34]\d/),
      expect.stringMatching(/^From old-server\d+ %.*of 3[3-6]/),
    ])
    expect(await page.textContent('#summary')).toContain('an account at hotmail; 12 days old; ')
    const routes = await page.locator('#canaries .route').allTextContents()
    expect(new Set(routes.map(text => text.split(' to ')[1]))).toEqual(new Set(['hotmail-1']))
    await expectSound(page, width, `seed-${width}-${colours}`)
    await page.click('input[value="1h"] + .short')
    await page
      .locator('#listed')
      .filter({ hasText: /^\d+ canaries$/ })
      .waitFor()
    expect(complaints).toEqual([])
  })

  it.each(WAYS)(
    'shows everybody no name and no address at %i pixels in %s colours',
    async (width, colours) => {
      await sampleDay(history, Date.now())
      const view = publicView(sampleStatus(history, Date.now))
      const live = new LiveStatus(range => view.status(range))
      const open = new PublicServer({
        host: '127.0.0.1',
        port: 0,
        routes: [publicStatusRoutes(view, live, { page: pageFolder, browser: folder })],
      })
      await open.start()
      try {
        const url = `http://127.0.0.1:${open.port}/status`
        const { page, complaints } = await openPage(browser, { url, width, colours })
        await page.waitForSelector('#canaries tbody tr')
        const text = (await page.textContent('main')) ?? ''
        expect(text).not.toMatch(/@|-1\b|S3150|AUTHENTICATIONFAILED/)
        expect(
          await page.locator('main a[href^="/seeds"], main a[href^="/canaries"]').count(),
        ).toBe(0)
        await expectSound(page, width, `public-${width}-${colours}`)
        for (const path of [
          '/api/canaries/canary-1',
          '/api/seeds/gmail-1',
          '/metrics',
          '/api/messages/X',
        ]) {
          expect((await page.request.get(`http://127.0.0.1:${open.port}${path}`)).status()).toBe(
            404,
          )
        }
        expect(complaints).toEqual([])
      } finally {
        await open.stop()
      }
    },
  )

  it('asks a browser from another host for the token, and shows the page that was asked for', async () => {
    const authority = await createAuthority('test')
    const closed = pageServer(history, folder, {
      host: '0.0.0.0',
      tls: new ServerIdentities([await authority.issue(['127.0.0.1'])]),
      token: new Secret('canary-demo-canary-demo'),
    })
    await closed.start()
    try {
      const context = await browser.newContext({ ignoreHTTPSErrors: true })
      const page = await context.newPage()
      await page.goto(`https://127.0.0.1:${closed.port}/?range=1h`)
      await page.getByLabel('Token').fill('wrong')
      await page.keyboard.press('Enter')
      await page.waitForSelector('[role=alert]')
      await expectSound(page, 1280, 'login')
      await page.getByLabel('Token').fill('canary-demo-canary-demo')
      await page.keyboard.press('Enter')
      await page.waitForSelector('#empty:not([hidden])')
      expect(new URL(page.url()).search).toBe('?range=1h')
      // The live stream is let in by the same session.
      await addCanary(history, { at: Date.now() - 1_000, verdict: verdictOf('inbox') })
      closed.changed()
      await page.waitForSelector('#canaries .chip.inbox')
    } finally {
      await closed.stop()
    }
  })
})
