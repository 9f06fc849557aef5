import { readdirSync, readFileSync } from 'node:fs'

/*
 * What a server costs, as the kernel counts it: of its processes and of all that came from them, those that have ended
 * included.
 */

// USER_HZ, which Linux shows every program as 100.
const TICK_MS = 10

/** Pids of a process and all its descendants. */
function family(root: number): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    const parent = Number(statOf(pid)?.[1])
    children.set(parent, [...(children.get(parent) ?? []), pid])
  }
  const all: number[] = []
  const next = [root]
  for (let pid = next.pop(); pid !== undefined; pid = next.pop()) {
    all.push(pid)
    next.push(...(children.get(pid) ?? []))
  }
  return all
}

/** Milliseconds of processor time so far. */
export function cpuOf(roots: readonly number[]): number {
  // utime, stime, and those of children that have ended: fields 14 to 17 of proc(5).
  const ticks = roots.flatMap(family).map(pid => {
    const stat = statOf(pid)
    return stat === undefined ? 0 : [11, 12, 13, 14].reduce((sum, i) => sum + Number(stat[i]), 0)
  })
  return TICK_MS * ticks.reduce((sum, one) => sum + one, 0)
}

/** KiB of memory: what is shared by several processes counts once. */
export function memoryOf(roots: readonly number[]): number {
  return roots.flatMap(family).reduce((sum, pid) => {
    try {
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
      return sum + Number(/^Pss: +(\d+) kB$/m.exec(rollup)?.[1] ?? 0)
    } catch {
      return sum
    }
  }, 0)
}

/** Fields of /proc/PID/stat from the third on: the second, the name, may hold anything. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}
