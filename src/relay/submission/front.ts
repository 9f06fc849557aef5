import type { ServerIdentities } from '../../base/server-tls.ts'
import { Listener, type ListenerOptions, type Place } from './listener.ts'
import type { Site } from './site.ts'

/** All listeners of one thread. */
export class Front {
  readonly #listeners: readonly Listener[]

  /** @throws Problem for a listener that would be an open relay */
  constructor(listeners: readonly ListenerOptions[], identities: ServerIdentities, site: Site) {
    this.#listeners = listeners.map(listener => new Listener(listener, identities, site))
  }

  /** Those that listen. */
  get places(): readonly Place[] {
    return this.#listeners.filter(({ server }) => server.listening).map(({ place }) => place)
  }

  /**
   * @param shared other threads listen on the same ports
   * @throws Problem where a port cannot be had
   */
  async open(shared: boolean): Promise<void> {
    for (const listener of this.#listeners) await listener.open(shared)
  }

  /** @param grace milliseconds that sessions in the middle of a message have */
  async shutDown(grace: number): Promise<void> {
    await Promise.all(this.#listeners.map(listener => listener.shutDown(grace)))
  }

  /** Shows other certificates to connections to come. */
  useIdentities(identities: ServerIdentities): void {
    for (const listener of this.#listeners) listener.useIdentities(identities)
  }
}
