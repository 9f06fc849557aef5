import { createInterface } from 'node:readline/promises'

import type { Selection } from '../app/queue-control.ts'
import { Problem } from '../base/problem.ts'
import { askQueue, type QueueOptions } from './queue-access.ts'
import { amount } from './table.ts'

/**
 * Asks on the terminal before people's mail is thrown away.
 *
 * @throws Problem if the answer is not yes, or there is no terminal to ask on
 */
export async function confirmDrop(queue: QueueOptions, select: Selection): Promise<void> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new Problem('drop asks on a terminal; there is none: say --yes')
  }
  let deliveries = 0
  for await (const answer of askQueue(queue, { ask: 'count', select })) {
    if (answer.kind === 'count') deliveries = answer.deliveries
  }
  if (deliveries === 0) return
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  try {
    const what = amount(deliveries, 'delivery', 'deliveries')
    const said = await terminal.question(`Remove ${what} for good, telling nobody? [y/N] `)
    if (!/^y(?:es)?$/i.test(said.trim())) throw new Problem('nothing was removed')
  } finally {
    terminal.close()
  }
}
