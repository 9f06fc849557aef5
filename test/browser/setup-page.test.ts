import { rm } from 'node:fs/promises'

import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { PublicServer } from '../../src/web/public-server.ts'
import { setupPageRoutes } from '../../src/web/setup/setup-page.ts'
import { setupRoutes } from '../../src/web/setup/setup-routes.ts'
import { compileBrowserCode } from '../support/browser-code.ts'
import { startChromium, openPage } from '../support/chromium.ts'
import { clientSettingsOf } from '../support/client-settings.ts'
import { freePort } from '../support/ports.ts'
import { makeScratch } from '../support/scratch.ts'
import { missing } from '../support/server-process.ts'
import { clipboardOf, faintTexts, widthOf } from './in-page.ts'

describe.skipIf(missing('chromium'))('the set-up page', () => {
  let browser: Browser
  let server: PublicServer
  let origin: string
  let folder: string

  beforeAll(async () => {
    folder = await makeScratch()
    await compileBrowserCode(folder)
    const port = await freePort()
    origin = `http://127.0.0.1:${port}`
    const facts = clientSettingsOf()
    server = new PublicServer({
      host: '127.0.0.1',
      port,
      browserCode: folder,
      routes: [
        setupPageRoutes(facts),
        setupRoutes({ facts, identity: () => ({ certificate: '', key: '' }), clock: Date.now }),
      ],
    })
    await server.start()
    browser = await startChromium()
  })
  afterEach(() => Promise.all(browser.contexts().map(context => context.close())))
  afterAll(async () => {
    await browser?.close()
    await server?.stop()
    await rm(folder, { recursive: true })
  })

  async function fillIn(page: Page): Promise<void> {
    await page.getByLabel('Your login').fill('carol')
    await page.getByRole('button', { name: 'Fill in' }).click()
    await page.getByRole('link', { name: 'msmtp' }).click()
  }

  it('gives the settings of a program for a login, and copies them', async () => {
    const { page, complaints } = await openPage(browser, { url: origin, width: 1200 })
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await fillIn(page)
    expect(await page.getByRole('link', { name: 'msmtp' }).getAttribute('aria-current')).toBe(
      'page',
    )
    await page.getByRole('button', { name: 'Copy', exact: true }).first().click()
    await page.getByText('Copied').waitFor()
    const copied = await clipboardOf(page)
    expect(copied).toBe(await page.locator('.file pre').first().textContent())
    expect(copied).toContain('user carol\n')
    await page.getByRole('button', { name: 'Copy relay.example.org' }).click()
    expect(await clipboardOf(page)).toBe('relay.example.org')
    expect(complaints).toEqual([])
  })

  it('does the same without JavaScript, but for the buttons', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false })
    const page = await context.newPage()
    await page.goto(origin)
    await fillIn(page)
    expect(await page.locator('.file pre').first().textContent()).toContain('user carol\n')
    expect(await page.getByRole('button', { name: /^Copy/ }).count()).toBe(0)
    expect(await page.getByRole('button').count()).toBe(1)
  })

  it.each([
    [390, 'light'],
    [390, 'dark'],
    [1200, 'light'],
    [1200, 'dark'],
  ] as const)(
    'can be read at %i pixels, %s, and does not scroll sideways',
    async (width, colours) => {
      for (const program of ['apple-mail', 'postfix']) {
        const { page, complaints } = await openPage(browser, {
          url: `${origin}/?program=${program}&login=carol`,
          width,
          colours,
        })
        expect(await widthOf(page)).toBe(width)
        expect(await faintTexts(page)).toEqual([])
        expect(complaints).toEqual([])
      }
    },
  )
})
