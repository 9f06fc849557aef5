/** One line of a Dockerfile, its continuation lines joined. */
export interface Instruction {
  readonly name: string
  readonly text: string
}

/** What a Dockerfile says, a stage each. */
export interface Stage {
  readonly from: string
  readonly name: string
  readonly instructions: readonly Instruction[]
}

/** Reads the part of the language that ours uses. */
export function readDockerfile(text: string): readonly Stage[] {
  const stages: { from: string; name: string; instructions: Instruction[] }[] = []
  const lines = text
    .split('\n')
    .filter(line => !line.startsWith('#'))
    .join('\n')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter(line => line.trim() !== '')
  for (const line of lines) {
    const [name = '', ...rest] = line.trim().split(/\s+/)
    if (name === 'FROM') {
      stages.push({ from: rest[0] ?? '', name: rest[2] ?? '', instructions: [] })
    } else {
      stages.at(-1)?.instructions.push({ name, text: line.trim().slice(name.length).trim() })
    }
  }
  return stages
}
