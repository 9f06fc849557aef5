// What a package owes and is asked for: the licences of everything inside, and a software bill of materials.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { ROOT } from './production-tree.mjs'

const LICENCE_FILE = /^(licen[cs]e|copying|notice)/i

/** Packages that tell their licence in README.md only. */
const TOLD_IN_README = new Map([['precond', 'MIT']])

/** What may be inside: permissive licences, as an SPDX expression says them. */
const PERMISSIVE =
  /^\(?(MIT|MIT-0|ISC|0BSD|BSD-[23]-Clause|Apache-2\.0|BlueOak-1\.0\.0)( OR .*\)|\))?$/

/**
 * The licence texts of all packages below a `node_modules` folder, each with its name and version.
 *
 * @param {string} modules
 * @returns {string}
 * @throws {Error} for a package without a permissive one
 */
export function licences(modules) {
  const texts = packagesIn(modules)
    .toSorted()
    .map(folder => {
      const { name, version, license } = described(folder)
      const told = license ?? TOLD_IN_README.get(name)
      if (told === undefined || !PERMISSIVE.test(told)) {
        throw new Error(`${name} has the licence ${told}: only permissive ones may be inside`)
      }
      const files = readdirSync(folder).filter(file =>
        license === undefined ? file === 'README.md' : LICENCE_FILE.test(file),
      )
      const text = files.map(file => readFileSync(join(folder, file), 'utf8').trim())
      return [`${name} ${version}: ${told}`, ...text].join('\n\n')
    })
  return `${texts.join(`\n\n${'-'.repeat(78)}\n\n`)}\n`
}

/**
 * The bill of materials as CycloneDX, of what package-lock.json pins for a server.
 *
 * @returns {string} JSON
 */
export function billOfMaterials() {
  return execFileSync(
    'npm',
    ['sbom', '--package-lock-only', '--omit=dev', '--sbom-format', 'cyclonedx'],
    { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  )
}

/**
 * @param {string} folder of a package
 * @returns {{ name: string, version: string, license?: string }}
 */
function described(folder) {
  return /** @type {ReturnType<typeof described>} */ (
    JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  )
}

/**
 * @param {string} modules
 * @returns {string[]} folders of packages, those inside others included
 */
function packagesIn(modules) {
  if (!existsSync(modules)) return []
  return readdirSync(modules).flatMap(name => {
    const folder = join(modules, name)
    if (name.startsWith('@')) return packagesIn(folder)
    if (!existsSync(join(folder, 'package.json'))) return []
    return [folder, ...packagesIn(join(folder, 'node_modules'))]
  })
}
