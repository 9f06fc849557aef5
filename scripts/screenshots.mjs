// Takes the pictures of the documentation from a demo that runs: start one, wait for a cycle of its script (eight
// minutes), then: node scripts/screenshots.mjs [http://127.0.0.1:9464/]
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

import { chromium } from 'playwright-core'

const url = process.argv[2] ?? 'http://127.0.0.1:9464/'
const folder = join(import.meta.dirname, '..', 'docs', 'images')
mkdirSync(folder, { recursive: true })

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--disable-gpu', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
})
const page = await browser.newPage({
  viewport: { width: 1280, height: 1180 },
  colorScheme: 'light',
  reducedMotion: 'reduce',
})
await page.goto(`${url}#15m`)
await page.locator('#data').waitFor()
await page.locator('canvas').first().waitFor()
await page.screenshot({ path: join(folder, 'status.png') })
await browser.close()
