// Takes the pictures of the documentation from a demo of its own:
// node scripts/screenshots.mjs [--only status,canary,account,setup]
// The status page is worth a picture when everything has gone wrong once and its charts are full: after a quarter of an hour.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'

import { chromium } from 'playwright-core'

const ROOT = join(import.meta.dirname, '..')
const FOLDER = join(ROOT, 'docs', 'images')
const QUARTER_OF_AN_HOUR = 900_000
/** What the incidents of the script come to. */
const VERDICTS = ['inbox', 'spam', 'other', 'missing', 'bounced', 'unknown']

const { values } = parseArgs({
  options: { only: { type: 'string', default: 'status,canary,account,setup' } },
})
const wanted = new Set(values.only.split(','))
const base = 10_000 + Math.floor(Math.random() * 20_000)
const admin = `http://127.0.0.1:${9464 + base}`
const open = `http://127.0.0.1:${8025 + base}`
const state = mkdtempSync(join(tmpdir(), 'mailcanary-screenshots-'))

/** @param {string} url */
async function ask(url) {
  const answer = await fetch(url).catch(() => undefined)
  return answer?.ok === true ? answer : undefined
}

/**
 * The newest canary of the relay with a verdict.
 *
 * @param {string} verdict
 */
async function newest(verdict) {
  const answer = await ask(`${admin}/api/canaries?origin=relay&limit=1&verdict=${verdict}`)
  const list = /** @type {{ canaries: { id: string }[] } | undefined} */ (await answer?.json())
  return list?.canaries[0]?.id
}

/**
 * @template T
 * @param {() => Promise<T | undefined>} what
 * @returns {Promise<T>}
 */
async function until(what) {
  for (;;) {
    const answer = await what()
    if (answer !== undefined) return answer
    await new Promise(resolve => setTimeout(resolve, 500))
  }
}

/**
 * @param {string} url
 * @param {string} name
 * @param {number} height
 * @param {(page: import('playwright-core').Page) => Promise<unknown>} prepare ends when all is there that is to be seen
 */
async function take(url, name, height, prepare) {
  const page = await browser.newPage({
    viewport: { width: 1280, height },
    colorScheme: 'light',
    reducedMotion: 'reduce',
  })
  await page.goto(url)
  await prepare(page)
  await page.screenshot({ path: join(FOLDER, `${name}.png`) })
  await page.close()
}

/** @param {import('playwright-core').Page} page */
async function signIn(page) {
  await page.getByLabel('Login').fill('alice')
  const password = await until(async () => /password of the account (\S+)\)/.exec(said)?.[1])
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { level: 1, name: 'alice' }).waitFor()
}

const demo = spawn(
  join(ROOT, 'bin', 'mailcanary'),
  ['demo', '--state', state, '--port-base', String(base)],
  { stdio: ['ignore', 'pipe', 'inherit'] },
)
let said = ''
demo.stdout.on('data', chunk => {
  // What it says at the start is enough.
  if (said.length < 10_000) said += String(chunk)
})
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--disable-gpu', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
})
try {
  await until(() => ask(`${admin}/readyz`))
  await until(() => ask(`${open}/`))
  if (wanted.has('account')) await take(`${open}/account`, 'account', 900, signIn)
  if (wanted.has('setup')) {
    await take(`${open}/`, 'setup', 900, page => page.getByRole('heading', { level: 1 }).waitFor())
  }
  if (wanted.has('status') || wanted.has('canary')) {
    for (const verdict of VERDICTS) await until(() => newest(verdict))
    await until(async () => (performance.now() > QUARTER_OF_AN_HOUR ? true : undefined))
  }
  if (wanted.has('status')) {
    await take(`${admin}/?range=15m`, 'status', 1180, page =>
      page.locator('#canaries tbody tr').first().waitFor(),
    )
  }
  if (wanted.has('canary')) {
    // The one with the most to tell.
    const id = await until(() => newest('bounced'))
    await take(`${admin}/canaries/${id}`, 'canary', 900, page =>
      page.locator('#moments li').first().waitFor(),
    )
  }
} finally {
  await browser.close()
  demo.kill()
  await new Promise(resolve => demo.once('exit', resolve))
  rmSync(state, { recursive: true, force: true })
}
