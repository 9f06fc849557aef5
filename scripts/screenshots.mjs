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

/**
 * @param {string} path
 * @param {string} name
 * @param {{ width: number, height: number }} view
 * @param {string} shown what has to be there
 */
async function take(path, name, { width, height }, shown) {
  const page = await browser.newPage({
    viewport: { width, height },
    colorScheme: 'light',
    reducedMotion: 'reduce',
  })
  await page.goto(new URL(path, url).href)
  await page.locator(shown).first().waitFor()
  await page.screenshot({ path: join(folder, `${name}.png`) })
  await page.close()
}

/** The newest canary that was refused, which has the most to tell. */
async function refused() {
  const answer = await fetch(new URL('/api/canaries?verdict=bounced&origin=relay&limit=1', url))
  const list = /** @type {{ canaries: { id: string }[] }} */ (await answer.json())
  return list.canaries[0]?.id ?? ''
}

await take('/?range=15m', 'status', { width: 1280, height: 1180 }, '#canaries tbody tr')
await take(`/canaries/${await refused()}`, 'canary', { width: 1280, height: 900 }, '#moments li')
await browser.close()
