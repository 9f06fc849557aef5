import type { Command } from 'commander'

/** What every command is given. */
export interface CommandContext {
  readonly version: string
  /** Sets the exit code of a command that has done its work and has something to say by it. */
  readonly exitWith: (code: number) => void
  /** Every command, for what tells of all of them. */
  readonly wholeProgram: () => Promise<Command>
}
