import type { Part } from '../base/lifecycle.ts'
import { codeOf, Problem } from '../base/problem.ts'

/** How far the demo's ports are moved from their usual places; `any` lets the system choose, for tests. */
export type PortBase = number | 'any'

const USUAL = {
  imap: [2993, 2994, 2995, 2996],
  mx: [2525, 2526, 2527, 2528],
  oldServer: 2589,
  directory: 2389,
} as const

export interface Ports {
  /** In the order of the providers. */
  readonly imap: (index: number) => number
  readonly mx: (index: number) => number
  readonly oldServer: number
  readonly directory: number
}

/** @throws Problem where a moved port would be none */
export function portsFrom(base: PortBase): Ports {
  const moved = (usual: number | undefined): number => {
    if (base === 'any') return 0
    const port = (usual ?? 0) + base
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new Problem(
        `--port-base ${base} would need the port ${port}: choose a number from -2000 to 60000`,
      )
    }
    return port
  }
  return {
    imap: index => moved(USUAL.imap[index]),
    mx: index => moved(USUAL.mx[index]),
    oldServer: moved(USUAL.oldServer),
    directory: moved(USUAL.directory),
  }
}

/** The same part, which says in words what to do when its port is taken. */
export function onPort(part: Part, port: number): Part {
  return {
    name: part.name,
    start: () =>
      part.start().catch((error: unknown) => {
        if (codeOf(error) !== 'EADDRINUSE') throw error
        throw new Problem(
          `port ${port} (${part.name}) is in use: stop what listens there, or move all ports of the demo with ` +
            '--port-base 10000',
        )
      }),
    stop: () => part.stop(),
  }
}
