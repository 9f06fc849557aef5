import { Problem } from '../../base/problem.ts'
import type { InitOptions } from '../init.ts'
import { existing } from './drafts.ts'
import type { Interview } from './interview.ts'

/** Before anything is asked: nobody wants to learn it at the end. */
export async function refuseOverwriting(
  paths: { readonly relay: string; readonly probes: string },
  { replace }: InitOptions,
  isAttended: boolean,
): Promise<void> {
  const there = await existing([paths.relay, paths.probes])
  if (there.length === 0 || replace === true || isAttended) return
  throw new Problem(
    `${there.join(' and ')}: already there: move it away, name another --folder, or say --replace`,
  )
}

export async function askOverwriting(
  interview: Interview,
  paths: { readonly relay: string; readonly probes: string },
): Promise<void> {
  const there = await existing([paths.relay, paths.probes])
  if (there.length === 0) return
  interview.say('', `Already there: ${there.join(', ')}. Both files will be written anew.`)
  const word = await interview.word(
    'Type replace to have that, Enter to leave everything as it is: ',
  )
  if (word !== 'replace') throw new Problem('nothing was written')
}
