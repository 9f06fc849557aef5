// Builds the Debian package: npm run package [-- --version 1.2.3] [-- --out FOLDER]. Needs dpkg-deb, and no root.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'

import { ROOT, writeProductionTree } from './production-tree.mjs'
import { billOfMaterials, licences } from './third-party.mjs'

const DEBIAN = join(ROOT, 'deploy', 'debian')
const own = /** @type {{ version: string }} */ (
  JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
)

/** Where each shell looks for what completes the command lines of a program. */
const COMPLETIONS = {
  bash: 'usr/share/bash-completion/completions/mailcanary',
  zsh: 'usr/share/zsh/vendor-completions/_mailcanary',
  fish: 'usr/share/fish/vendor_completions.d/mailcanary.fish',
}

const { values } = parseArgs({
  options: {
    version: { type: 'string', default: own.version },
    out: { type: 'string', default: join(ROOT, 'out') },
    // Where the tree of an earlier build is taken from, so that two packages in a row need one installation.
    tree: { type: 'string' },
    // What dpkg-deb -Z takes; none is quick.
    compression: { type: 'string', default: 'xz' },
  },
})

const stage = mkdtempSync(join(tmpdir(), 'mailcanary-deb-'))
try {
  const file = build(stage)
  process.stdout.write(`${file}\n`)
} finally {
  rmSync(stage, { recursive: true, force: true })
}

/**
 * @param {string} root the file system of the package
 * @returns {string} the path of the package
 */
function build(root) {
  const architecture = execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim()
  const program = join(root, 'usr', 'lib', 'mailcanary')
  if (values.tree === undefined) writeProductionTree(program)
  else cpSync(values.tree, program, { recursive: true })

  link(join(root, 'usr', 'bin', 'mailcanary'), '../lib/mailcanary/bin/mailcanary')
  put(
    root,
    'lib/systemd/system/mailcanary.service',
    join(ROOT, 'deploy/systemd/mailcanary.service'),
  )
  put(root, 'etc/default/mailcanary', join(DEBIAN, 'mailcanary.default'))

  const documents = 'usr/share/doc/mailcanary'
  for (const name of ['README.md', 'SECURITY.md', 'docs', 'dashboards', 'deploy/openssh']) {
    put(root, `${documents}/${name}`, join(ROOT, name))
  }
  for (const name of ['relay.yaml', 'probes.yaml']) {
    const text = readFileSync(join(ROOT, name), 'utf8')
    write(
      root,
      `${documents}/examples/${name}`,
      text.replace('$schema=', '$schema=/usr/lib/mailcanary/'),
    )
  }
  write(
    root,
    'usr/share/man/man1/mailcanary.1.gz',
    packed(readFileSync(join(ROOT, 'deploy/man/mailcanary.1'))),
  )
  for (const [shell, path] of Object.entries(COMPLETIONS)) {
    const script = execFileSync(join(program, 'bin', 'mailcanary'), ['completion', shell])
    write(root, path, script)
  }
  put(root, `${documents}/copyright`, join(ROOT, 'LICENSE'))
  write(root, `${documents}/changelog.gz`, packed(readFileSync(join(ROOT, 'CHANGELOG.md'))))
  write(
    root,
    `${documents}/third-party-licences.gz`,
    packed(licences(join(program, 'node_modules'))),
  )
  write(root, `${documents}/sbom.cdx.json`, billOfMaterials())

  const control = join(root, 'DEBIAN')
  mkdirSync(control)
  for (const name of ['conffiles', 'postinst', 'prerm', 'postrm']) {
    cpSync(join(DEBIAN, name), join(control, name))
  }
  const kibibytes = Math.ceil(sizeOf(root) / 1024)
  writeFileSync(
    join(control, 'control'),
    readFileSync(join(DEBIAN, 'control'), 'utf8')
      .replace('@VERSION@', values.version)
      .replace('@ARCHITECTURE@', architecture)
      .replace('@SIZE@', String(kibibytes)),
  )
  settleModes(root)
  mkdirSync(values.out, { recursive: true })
  const file = resolve(values.out, `mailcanary_${values.version}_${architecture}.deb`)
  execFileSync(
    'dpkg-deb',
    ['--root-owner-group', `-Z${values.compression}`, '--build', root, file],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  return file
}

/**
 * @param {string} root
 * @param {string} path
 * @param {string} source
 */
function put(root, path, source) {
  const target = join(root, path)
  mkdirSync(dirname(target), { recursive: true })
  cpSync(source, target, { recursive: true })
}

/**
 * @param {string} root
 * @param {string} path
 * @param {string | Buffer} content
 */
function write(root, path, content) {
  const target = join(root, path)
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, content)
}

/**
 * @param {string} path
 * @param {string} target
 */
function link(path, target) {
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(target, path)
}

/**
 * The same octets from the same content: no time of day in it.
 *
 * @param {string | Buffer} content
 */
function packed(content) {
  return gzipSync(content, { level: 9 })
}

/**
 * @param {string} path
 * @returns {number} octets
 */
function sizeOf(path) {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined || !found.isDirectory()) return found?.size ?? 0
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0)
}

/**
 * Nothing depends on the umask of whoever builds.
 *
 * @param {string} folder
 */
function settleModes(folder) {
  chmodSync(folder, 0o755)
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) settleModes(path)
    else if (entry.isFile()) chmodSync(path, (statSync(path).mode & 0o100) === 0 ? 0o644 : 0o755)
  }
}
