import type { Command } from 'commander'

import type { CommandContext } from './context.ts'
import { addSeedCheck } from './seed-check.ts'
import { addSeedLogin } from './seed-login.ts'

/** `mailcanary seed`: the accounts that are looked at. */
export function addSeed(program: Command, context: CommandContext): void {
  const seed = program
    .command('seed')
    .description('Sign in to the seed accounts, and see what would go wrong with them.')
  addSeedCheck(seed, context)
  addSeedLogin(seed, context)
}
