import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'

import { writeAtomically } from '../base/atomic-file.ts'
import { codeOf, Problem } from '../base/problem.ts'

const OCTETS = 32

/**
 * A key of 32 octets that is made once and kept in a file (mode 0600).
 *
 * @param loss what goes lost with the key, for people: `lose sight of canaries on their way`
 * @throws Problem where the file holds something else
 */
export async function keyFile(path: string, loss: string): Promise<Uint8Array> {
  try {
    const key = await readFile(path)
    if (key.length !== OCTETS) {
      throw new Problem(
        `${path} should hold ${OCTETS} octets: restore it, or remove it and ${loss}`,
      )
    }
    return key
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    const key = randomBytes(OCTETS)
    await writeAtomically(path, key)
    return key
  }
}
