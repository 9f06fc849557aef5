#!/usr/bin/env node
import { createRequire } from 'node:module'

// The process edge: checks the Node it runs on, runs a command, turns what comes out into an exit code. It imports
// nothing of ours at the top: on an older Node one of our libraries does not throw but crashes the process.
const OLDEST_NODE = [22, 19] as const

// Who reads along may have read enough: `mailcanary queue list | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  // As if by SIGPIPE; a daemon that has lost its log has failed.
  process.exit(141)
})

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  process.stderr.write(
    `mailcanary needs Node ${OLDEST_NODE.join('.')} or later, this is ${process.versions.node}: ` +
      'install a newer one, or start it with npm, which brings its own on Linux\n',
  )
  process.exitCode = 1
} else {
  const [name, ...args] = process.argv.slice(2)
  // sshd starts these for every mail: none of the libraries of the others is loaded.
  if (name === 'sendmail' || name === 'authorized-keys') {
    const { runForSsh } = await import('./ssh/main.ts')
    process.exitCode = await runForSsh(name, args)
  } else {
    const read = createRequire(import.meta.url)
    const { version } = read('../package.json') as { version: string }
    // Written by the build.
    const { commit } = read('./commit.json') as { commit: string }
    const { runCommand } = await import('./cli/command.ts')
    process.exitCode = await runCommand(
      process.argv.slice(2),
      commit === '' ? version : `${version} (${commit})`,
    )
  }
}
