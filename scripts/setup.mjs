// Makes a fresh clone ready: installs what package-lock.json names and builds, each only when needed.
// Runs on any Node from 20 on, before anything is installed: nothing but node: modules here.
import { execFileSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const OLDEST_NODE = 20

if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
  process.stderr.write(
    `mailcanary needs Node ${OLDEST_NODE} or later to install, this is ${process.version}: install a newer Node\n`,
  )
  process.exit(1)
}

/**
 * @param {string} what for the person who waits
 * @param {string} program
 * @param {readonly string[]} args
 */
function run(what, program, args) {
  process.stderr.write(`${what} …\n`)
  try {
    execFileSync(program, args, {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
      // npm under npm would take over the outer command's flags.
      env: { ...process.env, npm_config_loglevel: 'error', NODE_ENV: '' },
    })
  } catch {
    process.stderr.write(`${what} failed: the lines above say why\n`)
    process.exit(1)
  }
}

// npm leaves this file behind when an installation is complete.
const installed = join(root, 'node_modules', '.package-lock.json')
const wanted = statSync(join(root, 'package-lock.json')).mtimeMs
if (!existsSync(installed) || statSync(installed).mtimeMs < wanted) {
  // No package of ours needs an install script: what is not run cannot do harm.
  run('installing', 'npm', ['ci', '--ignore-scripts', '--include=dev', '--include=optional'])
}
run('building', process.execPath, [join(root, 'scripts', 'build.mjs')])
