import { mkdirSync } from 'node:fs'

/** Artefacts (logs, screenshots) that outlive a run go to test-output/. */
export function setup(): void {
  mkdirSync('test-output', { recursive: true })
}
