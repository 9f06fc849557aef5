// Writes docs/metrics.md, the reference of what Prometheus is told: npm run generate
import { writeFile } from 'node:fs/promises'

import { createMetrics } from '../src/observe/metrics.ts'

// Names that stand for what is configured.
const CONFIGURED = ['ORIGIN', 'PROVIDER', 'SEED', 'PROBE', 'VERSION', 'LIST'] as const

interface Metric {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly series: readonly Readonly<Record<string, string>>[]
}

/** The reference as it is committed; a test compares it. */
export async function metricsReference(): Promise<string> {
  const metrics = readExposition(await everyMetric())
  const ours = metrics.filter(({ name }) => name.startsWith('mailcanary_'))
  const others = metrics.filter(({ name }) => !name.startsWith('mailcanary_'))
  const part = (title: string, prefix: RegExp): string =>
    `## ${title}\n\n${ours
      .filter(({ name }) => prefix.test(name))
      .map(entry)
      .join('\n')}`
  return `# Metrics

What \`/metrics\` of the admin listener says, in the text format of Prometheus. Written by \`npm run generate\` from the registry itself;
a test compares it.

- **Labels are closed sets**: what is in the configuration (in capitals below), or a list that stands in the program. No address, login, subject or name of
  a recipient's domain is ever a label; a provider is known by its MX host, every other destination is \`other\`. Ten thousand logins make no more series than one.
- **Series exist at 0 from the start**, so that \`increase()\` sees the first loss. A number that cannot be had at a scrape is \`NaN\`, not 0.
- **Units** are in the names: seconds and bytes, \`_ratio\` from 0 to 1, \`_total\` counts from the start of the process. Histograms of seconds have buckets from 1 second to a day.
- \`unknown\` is the prober's blindness and belongs in no denominator: \`verdict!="unknown"\`.
- How many: 200 seeds at 5 providers and 5 origins come to about 12,500 series; \`npm run bench -- --only scrape\` prints what a scrape of them takes.

${part('Canaries, seeds and the prober', /^mailcanary_(?:canar|seed|last_verdict|probe|detector)/)}
${part('The relay', /^mailcanary_relay/)}
${part('Directory and accounts', /^mailcanary_(?:directory|account)/)}
${part('The host and the program', /^mailcanary_(?!canar|seed|last_verdict|probe|detector|relay|directory|account)/)}
## The process

Of prom-client, as every Node program has them.

| metric | type | what |
|---|---|---|
${others.map(({ name, type, help }) => `| \`${name}\` | ${type} | ${sentence(help)} |\n`).join('')}`
}

/** A registry in which nothing is missing that a configuration can bring. */
async function everyMetric(): Promise<string> {
  const [origin, provider, seed, probe, version, list] = CONFIGURED
  const metrics = createMetrics({
    origins: [origin],
    providers: [provider],
    seeds: [{ name: seed, provider, oauth: true, createdAt: 0 }],
    probes: [probe],
    version,
    blocklists: [list],
    clock: () => 0,
    inputs: {
      queue: async () => ({ queued: 0, active: 0, held: 0, oldestAt: undefined }),
      sites: () => [],
      directory: () => ({ ageSeconds: 0, accounts: 0 }),
      certificateExpiry: () => 0,
      freeSpace: () => 0,
      detector: () =>
        (['arrival', 'inbox', 'lateness'] as const).map(signal => ({
          origin,
          provider,
          signal,
          evidence: 0,
          alarm: false,
          baseline: 0,
          canaries: 0,
          failures: 0,
        })),
    },
  })
  return metrics.text()
}

function readExposition(text: string): Metric[] {
  const found: Metric[] = []
  for (const block of text.split(/^# HELP /m).slice(1)) {
    const [, name = '', help = ''] = /^(\S+) (.*)$/m.exec(block) ?? []
    const type = /^# TYPE \S+ (\w+)$/m.exec(block)?.[1] ?? ''
    const series = [...block.matchAll(/^\w+\{(.*)\} \S+$/gm)].map(([, labels = '']) =>
      Object.fromEntries(
        [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = '', value = '']) => [
          label,
          value,
        ]),
      ),
    )
    found.push({ name, type, help, series })
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1))
}

function entry({ name, type, help, series }: Metric): string {
  const values = new Map<string, Set<string>>()
  for (const [label, value] of series.flatMap(one => Object.entries(one))) {
    if (label === 'le') continue
    values.set(label, (values.get(label) ?? new Set()).add(value))
  }
  const labels = [...values].map(([label, set]) => `- \`${label}\`: ${[...set].join(', ')}\n`)
  return `### ${name}\n\n${type[0]?.toUpperCase()}${type.slice(1)}. ${sentence(help)}\n${labels.length === 0 ? '' : `\n${labels.join('')}`}`
}

function sentence(help: string): string {
  return help.endsWith('.') ? help : `${help}.`
}

if (import.meta.main) {
  await writeFile(new URL('../docs/metrics.md', import.meta.url), await metricsReference())
}
