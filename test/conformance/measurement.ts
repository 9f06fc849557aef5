import { readFileSync, writeFileSync } from 'node:fs'

import type { Finding, Outcome } from './check.ts'

/** What the judge has found at one server: committed, so that documents can quote it. */
export interface Measurement {
  readonly server: string
  readonly version: string
  /** The EHLO keywords before and after TLS, with their parameters. */
  readonly offers: { readonly clearText: readonly string[]; readonly tls: readonly string[] }
  /** By the id of the check. */
  readonly findings: Readonly<Record<string, Finding>>
}

function pathOf(name: string): URL {
  return new URL(`measured/${name}.json`, import.meta.url)
}

/** Reads a committed measurement. */
export function readMeasurement(name: string): Measurement {
  return JSON.parse(readFileSync(pathOf(name), 'utf8')) as Measurement
}

export function writeMeasurement(name: string, measurement: Measurement): void {
  writeFileSync(pathOf(name), `${JSON.stringify(measurement, undefined, 2)}\n`)
}

/** A finding without what differs from run to run. */
export function steady({ outcome, detail }: Finding): Finding {
  const text = detail
    .replaceAll(/queued as \w+/g, 'queued')
    .replaceAll(/[^ -~]/g, '.')
    .replaceAll(/ \([0-9A-F-]{30,}\.\d+\)/g, '')
    .slice(0, 160)
  return { outcome, detail: text }
}

const BY_WEIGHT: readonly Outcome[] = ['non-conformant', 'latitude', 'conformant', 'inconclusive']

/** What the ports of a server come to together: the worst that was found; open only where it is open at all of them. */
export function worst(findings: readonly Finding[]): Finding {
  for (const outcome of BY_WEIGHT) {
    const found = findings.find(finding => finding.outcome === outcome)
    if (found) return found
  }
  return { outcome: 'inconclusive', detail: 'not run' }
}
