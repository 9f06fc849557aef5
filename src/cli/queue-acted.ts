import { titleOf, type OperatorAction, type QueueAnswer } from '../app/queue-control.ts'
import { holdLines } from './queue-list.ts'
import { amount } from './table.ts'

type ActedAnswer = Extract<QueueAnswer, { kind: 'acted' }>
type StandingAnswer = Extract<QueueAnswer, { kind: 'standing' }>

const DONE: Readonly<Record<OperatorAction, string>> = {
  retry: 'is due now',
  hold: 'is held',
  release: 'is released',
  drop: 'is removed',
}

const UNCHANGED: Readonly<Record<OperatorAction, string>> = {
  retry: 'is held, so it is not tried: release it first',
  hold: 'was held already',
  release: 'was not held',
  drop: 'is left as it was',
}

// A line for each of a million deliveries is no answer.
const LINES = 200

/** Counts what an action came to, delivery by delivery. */
export class ActedTally {
  readonly #action: OperatorAction
  #lines = 0
  #done = 0
  #left = 0

  constructor(action: OperatorAction) {
    this.#action = action
  }

  /** @returns what to say of it; undefined where enough has been said */
  add(answer: ActedAnswer): string | undefined {
    const { result } = answer
    if (result === 'done') this.#done++
    // Held already is what was wanted.
    else if (result !== 'unchanged' || this.#action === 'retry') this.#left++
    if (++this.#lines > LINES) return undefined
    const to = answer.domain === '' ? '' : ` to ${answer.domain}`
    return `${answer.id}${to} ${this.#words(answer)}`
  }

  get summary(): string {
    if (this.#done + this.#left === 0) return 'nothing to do was found'
    const past = { retry: 'due now', hold: 'held', release: 'released', drop: 'removed' }
    const done = `${amount(this.#done, 'delivery', 'deliveries')} ${past[this.#action]}`
    return this.#left === 0 ? done : `${done}, ${this.#left} left as they were`
  }

  get exitCode(): number {
    return this.#left === 0 ? 0 : 1
  }

  #words({ kept, result }: ActedAnswer): string {
    switch (result) {
      case 'done':
        return DONE[this.#action]
      case 'busy':
        return 'is being attempted at this moment and was left alone: say it again'
      case 'kept':
        return `stays where it is: ${kept}`
      case 'unchanged':
        return UNCHANGED[this.#action]
      case 'ended':
        return 'has reached its end; see: mailcanary trace'
      case 'unknown':
        return 'is not known'
    }
  }
}

/** What setting or lifting a hold came to. */
export function standingLines(answer: StandingAnswer, now: number): readonly string[] {
  const { changed, deliveries, target } = answer
  const title = titleOf(target)
  const kept = amount(deliveries, 'delivery', 'deliveries')
  if (answer.ask === 'hold') {
    const words = changed ? 'is set and keeps back' : 'stood already and keeps back'
    return [`the ${title} ${words} ${kept}, and what comes; it ends with: ${endOf(target)}`]
  }
  const others = holdLines(answer.holds, now)
  if (changed) return [`the ${title} has ended; it kept back ${kept}`, ...others]
  const hint =
    target.kind === 'everything'
      ? []
      : [`what is held one by one is released with: ${endOf(target)} --state held`]
  if (others.length === 0) return [`there is no ${title}, nor any other`, ...hint]
  return [`there is no ${title}; these stand:`, ...others, ...hint]
}

function endOf({ kind, value }: StandingAnswer['target']): string {
  return `mailcanary queue release --${kind}${kind === 'everything' ? '' : ` ${value}`}`
}
