import { execFile } from 'node:child_process'
import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** For dpkg: nothing here has to outlive a power cut. */
export const NO_SYNC = { DPKG_FORCE: 'unsafe-io' }

export interface EnterOptions {
  readonly user?: string
  /** As systemd's AmbientCapabilities gives it: the ports below 1024. */
  readonly lowPorts?: boolean
  /** The root file system cannot be written; these folders of it can. */
  readonly writable?: readonly string[]
  readonly workingDirectory?: string
  /** NAME=VALUE */
  readonly environment?: readonly string[]
}

/** A root file system of its own: a copy of a minimal Debian that a test may do anything with. */
export class RootSystem {
  readonly root: string

  private constructor(root: string) {
    this.root = root
  }

  static async copyOf(base: string, root: string): Promise<RootSystem> {
    await run('cp', ['--archive', '--reflink=auto', base, root])
    const system = new RootSystem(root)
    // As on a machine that is being made: packages are installed, no service is started.
    await system.write('/usr/sbin/policy-rc.d', '#!/bin/sh\nexit 101\n', 0o755)
    return system
  }

  path(inside: string): string {
    return join(this.root, inside)
  }

  async write(inside: string, content: string, mode = 0o644): Promise<void> {
    const path = this.path(inside)
    await mkdir(join(path, '..'), { recursive: true })
    await writeFile(path, content, { mode })
  }

  /** Copies a file or folder from outside. */
  async bring(outside: string, inside: string): Promise<void> {
    await cp(outside, this.path(inside), { recursive: true })
  }

  /**
   * The command line that runs a program inside, as one process with the pid of who starts it. What it mounts is seen
   * by that process alone.
   */
  command(program: readonly string[], options: EnterOptions = {}): string[] {
    const { root } = this
    const { user, lowPorts = false, writable, workingDirectory = '/' } = options
    const steps = [
      'set -e',
      `mount --bind ${root} ${root}`,
      `mount -t proc proc ${root}/proc`,
      `mount --rbind /dev ${root}/dev`,
      ...(writable ?? []).map(folder => `mount --bind ${root}${folder} ${root}${folder}`),
      ...(writable === undefined ? [] : [`mount -o remount,bind,ro ${root}`]),
      `exec chroot ${root} "$@"`,
    ]
    const rights = [
      ...(user === undefined ? [] : [`--reuid=${user}`, `--regid=${user}`, '--init-groups']),
      ...(lowPorts ? ['--inh-caps=+net_bind_service', '--ambient-caps=+net_bind_service'] : []),
      '--no-new-privs',
    ]
    const environment = [
      'HOME=/nonexistent',
      'DEBIAN_FRONTEND=noninteractive',
      `DPKG_FORCE=${NO_SYNC.DPKG_FORCE}`,
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      ...(options.environment ?? []),
    ]
    const apart = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', steps.join('\n')]
    const inside = ['env', '-i', '-C', workingDirectory, ...environment]
    return [...apart, 'sh', ...inside, 'setpriv', ...rights, ...program]
  }

  /**
   * Runs a program inside to its end.
   *
   * @throws Error with what it printed, unless its exit code is 0
   */
  async run(program: readonly string[], options: EnterOptions = {}): Promise<string> {
    const [first = '', ...rest] = this.command(program, options)
    const { stdout, stderr } = await run(first, rest, { maxBuffer: 16 * 1024 * 1024 })
    return stdout + stderr
  }

  /** Every path inside, but for what the package manager and the kernel keep for themselves. */
  async files(): Promise<string[]> {
    const own = /^(proc|dev|sys|run|tmp|var\/(cache|log)|var\/lib\/(dpkg|apt|systemd))(\/|$)/
    const entries = await readdir(this.root, { recursive: true, withFileTypes: true })
    return entries
      .map(entry => join(entry.parentPath, entry.name).slice(this.root.length + 1))
      .filter(path => !own.test(path))
      .toSorted()
  }

  async remove(): Promise<void> {
    await rm(this.root, { recursive: true, force: true })
  }
}
