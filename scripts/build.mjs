// Compiles src/ to dist/ and copies what the web pages need beside it. Does nothing where dist/ is up to date.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const dist = join(root, 'dist')
const stamp = join(dist, '.built')

/**
 * When anything in a file or folder last changed, milliseconds since the epoch.
 *
 * @param {string} path
 * @returns {number}
 */
function newest(path) {
  const own = statSync(path)
  if (!own.isDirectory()) return own.mtimeMs
  return readdirSync(path).reduce(
    (time, name) => Math.max(time, newest(join(path, name))),
    own.mtimeMs,
  )
}

/**
 * The commit that is built, with a + where something is not committed; '' where nobody tells.
 *
 * @returns {string}
 */
function commit() {
  const told = process.env['MAILCANARY_COMMIT']
  if (told !== undefined) return told
  try {
    return execFileSync('git', ['describe', '--always', '--exclude=*', '--dirty=+'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return ''
  }
}

const inputs = [
  'src',
  'docs/clients.md',
  'tsconfig.json',
  'tsconfig.build.json',
  'tsconfig.browser.json',
  'package.json',
  'scripts/build.mjs',
]
const upToDate =
  existsSync(stamp) && inputs.every(input => newest(join(root, input)) <= statSync(stamp).mtimeMs)
if (!upToDate) {
  rmSync(dist, { recursive: true, force: true })
  const tsc = join(root, 'node_modules', '.bin', 'tsc')
  for (const project of ['tsconfig.build.json', 'tsconfig.browser.json']) {
    try {
      execFileSync(tsc, ['-p', join(root, project)], { cwd: root, stdio: 'inherit' })
    } catch {
      process.exit(1)
    }
  }
  cpSync(join(root, 'src', 'web', 'page'), join(dist, 'web', 'page'), { recursive: true })
  // What the page `/` shows is what people read in the documentation.
  cpSync(join(root, 'docs', 'clients.md'), join(dist, 'web', 'page', 'clients.md'))
  chmodSync(join(dist, 'main.js'), 0o755)
  writeFileSync(stamp, '')
}
// A commit changes nothing that is compiled.
writeFileSync(join(dist, 'commit.json'), JSON.stringify({ commit: commit() }))
