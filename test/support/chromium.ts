import { chromium, type Browser, type Page } from 'playwright-core'

import { findProgram } from './server-process.ts'

/** The system's Chromium, without a display. */
export async function startChromium(): Promise<Browser> {
  const executablePath = findProgram('chromium') ?? ''
  const asRoot = process.getuid?.() === 0
  return chromium.launch({
    executablePath,
    args: ['--disable-gpu', ...(asRoot ? ['--no-sandbox'] : [])],
  })
}

/** A page, with everything it complained of: script errors, failed requests, breaches of its policy. */
export async function openPage(
  browser: Browser,
  options: {
    readonly url: string
    readonly width: number
    readonly height?: number
    readonly colours?: 'light' | 'dark'
  },
): Promise<{ readonly page: Page; readonly complaints: readonly string[] }> {
  const context = await browser.newContext({
    viewport: { width: options.width, height: options.height ?? 900 },
    colorScheme: options.colours ?? 'light',
    timezoneId: 'UTC',
    locale: 'en-GB',
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', message => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', error => complaints.push(error.message))
  page.on('requestfailed', request => {
    // What the page itself took back is no failure.
    if (request.failure()?.errorText === 'net::ERR_ABORTED') return
    complaints.push(`${request.url()} failed`)
  })
  await page.goto(options.url)
  return { page, complaints }
}
