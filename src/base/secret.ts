import { inspect } from 'node:util'

const SHOWN = '<secret>'

/** A password, key or token. It prints as `<secret>` everywhere but where `reveal` is called. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The only way to the value: search for callers of this to see where secrets go. */
  reveal(): string {
    return this.#value
  }

  /** Whether another holds the same, without either showing it. */
  equals(other: unknown): boolean {
    return other instanceof Secret && other.#value === this.#value
  }

  toString(): string {
    return SHOWN
  }

  toJSON(): string {
    return SHOWN
  }

  [inspect.custom](): string {
    return SHOWN
  }
}
