import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { postfixVersion } from '../support/postfix-submission.ts'
import { withDeferred } from './deferred.ts'
import { benchDirectory, directoryFacts, directoryVerdicts } from './directory.ts'
import { startHarakaSubject } from './haraka-subject.ts'
import { idleCost } from './idle.ts'
import { compileTools } from './native.ts'
import { compareNodes } from './nodes.ts'
import { comparePairs, warmUp } from './pairs.ts'
import { startPostfixSubject } from './postfix-subject.ts'
import { startRelay, type RelaySubject } from './relay-subject.ts'
import { formatRows, formatVerdicts, table, type Row, type Verdict } from './report.ts'
import {
  DEFERRED,
  DEFERRED_ACCEPT_TARGET,
  DEFERRED_READY_TARGET,
  IDLE_SESSIONS,
  IDLE_TARGET_KIB,
  SCENARIOS,
} from './scenarios.ts'
import { scrapeVerdict } from './scrape.ts'
import { Sink } from './sink.ts'

const USAGE = `Usage: test/bench/run [--quick] [--only NAME[,NAME]] [--rounds N] [--haraka] [--json] [--document]

Measures mailcanary beside Postfix: same machine, same run, in turns, each message synced to the disk before its 250,
all handed on to one next hop. Then idle sessions, a queue full of deferred messages, relays that share a PostgreSQL, a directory of
100,000 over OpenLDAP, and a scrape of the metrics. Names are ${SCENARIOS.map(({ name }) => name).join(' ')} idle deferred nodes directory scrape.
Needs root (Postfix), cc and the headers of OpenSSL: test/install-servers installs them. Takes some fifteen minutes, five with
--quick. --haraka shows Haraka as well, which it installs for the run from the npm registry. --document also writes the tables into
docs/performance.md, between its two marks.

Exit code 0: all targets met; 1: some missed; 2: it could not be measured.`

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      rounds: { type: 'string' },
      haraka: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      document: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(USAGE)
    return 0
  }
  const only = values.only?.split(',')
  const wanted = (name: string): boolean => only === undefined || only.includes(name)
  const { quick } = values
  const rounds = Number(values.rounds ?? (quick ? 1 : 5))
  const folder = await mkdtemp(join(tmpdir(), 'mailcanary-bench-'))
  // Servers that drop root have to get in.
  await chmod(folder, 0o755)
  const { loadgen, sink: program } = await compileTools(join(folder, 'tools'))
  const sink = await Sink.start(program, folder)
  const stops: (() => Promise<void>)[] = [() => sink.stop()]
  const bench = { loadgen, sink }
  const rows: Row[] = []
  const verdicts: Verdict[] = []
  const facts: (readonly [string, string])[] = []
  const machine = `${availableParallelism()} cores (${cpus()[0]?.model ?? ''}), load ${loadavg()[0]?.toFixed(1)} before`
  const note = (text: string): void => void process.stderr.write(`${text}\n`)
  // What cannot be measured is a target missed, and no reason not to show the others.
  const part = async (name: string, run: () => Promise<void>): Promise<void> => {
    try {
      await run()
    } catch (error) {
      note(String(error))
      verdicts.push({ what: name, target: '', measured: 'could not be measured', met: false })
    }
  }
  try {
    const ours = await startRelay(join(folder, 'ours'), sink.port)
    stops.push(() => ours.stop())
    const pairs = SCENARIOS.filter(({ name }) => wanted(name))
    if (pairs.length > 0) {
      const postfix = await startPostfixSubject(join(folder, 'plain'), sink.port, 'PLAIN')
      stops.push(() => postfix.stop())
      const hashed = await startPostfixSubject(join(folder, 'hashed'), sink.port, 'SHA512-CRYPT')
      stops.push(() => hashed.stop())
      const haraka = values.haraka
        ? await startHarakaSubject(join(folder, 'haraka'), sink.port)
        : undefined
      stops.push(async () => haraka?.stop())
      const subjects = { ours, postfix, hashed, haraka }
      note('warming up')
      await warmUp(subjects, bench, quick)
      for (const scenario of pairs) {
        note(`${scenario.name}: ${scenario.title}`)
        const messages = scenario.messages[quick ? 1 : 0]
        await part(scenario.name, async () => {
          const result = await comparePairs(subjects, scenario, { bench, messages, rounds })
          rows.push(...result.rows)
          verdicts.push(...result.verdicts)
        })
      }
    }
    if (wanted('idle')) {
      note(`idle: ${IDLE_SESSIONS} sessions`)
      await part('idle', async () => {
        const fresh = (round: number): Promise<RelaySubject> =>
          startRelay(join(folder, `idle-${round}`), sink.port)
        const kib = await idleCost(fresh, IDLE_SESSIONS, loadgen)
        verdicts.push({
          what: `idle: memory of one of ${IDLE_SESSIONS} TLS sessions`,
          target: `at most ${IDLE_TARGET_KIB} KiB`,
          measured: `${kib.toFixed(1)} KiB`,
          met: kib <= IDLE_TARGET_KIB,
        })
      })
    }
    const b50 = SCENARIOS.find(({ name }) => name === 'b50')
    if (wanted('deferred') && b50 !== undefined) {
      const deferred = DEFERRED[quick ? 1 : 0]
      note(`deferred: a queue of ${deferred}`)
      const messages = b50.messages[quick ? 1 : 0]
      await part('deferred', async () => {
        const result = await withDeferred(join(folder, 'deferred'), b50, {
          bench,
          deferred,
          messages,
          rounds,
        })
        const of = `deferred: ${deferred} in the queue`
        const share = DEFERRED_ACCEPT_TARGET
        verdicts.push(
          {
            what: `${of}, accepted of what an empty one accepts`,
            target: `at least ${100 * share} %`,
            measured: `${(100 * result.acceptShare).toFixed(0)} %`,
            met: result.acceptShare >= share,
          },
          {
            what: `${of}, ready after a restart`,
            target: `under ${DEFERRED_READY_TARGET} s`,
            measured: `${result.readySeconds.toFixed(2)} s`,
            met: result.readySeconds < DEFERRED_READY_TARGET,
          },
        )
        facts.push(
          [`${of}: memory of the daemon under load`, `${result.memoryMiB.toFixed(0)} MiB`],
          [`${of}: mailcanary queue list`, `${result.listSeconds.toFixed(2)} s`],
        )
      })
    }
    const b10 = SCENARIOS.find(({ name }) => name === 'b10')
    if (wanted('nodes') && b10 !== undefined) {
      note('nodes: one and two relays over one PostgreSQL')
      await part('nodes', async () => {
        // Rates that are no target: the few messages of --quick will do.
        const [, messages] = b10.messages
        const { one, two } = await compareNodes(join(folder, 'nodes'), b10, {
          bench,
          messages,
          rounds,
        })
        for (const [name, rate] of [
          ['one relay', one],
          ['two relays, on the same cores', two],
        ] as const) {
          facts.push([
            `PostgreSQL, ${name}, b10: accepted/s, at the next hop/s`,
            `${rate.accepted.toFixed(0)}, ${rate.drained.toFixed(0)}`,
          ])
        }
      })
    }
    if (wanted('directory')) {
      const accounts = quick ? 10_000 : 100_000
      note(`directory: ${accounts} accounts`)
      await part('directory', async () => {
        const result = await benchDirectory(accounts)
        verdicts.push(...directoryVerdicts(result))
        facts.push(...directoryFacts(result))
      })
    }
    if (wanted('scrape')) {
      note('scrape: the metrics of many seeds')
      await part('scrape', async () => void verdicts.push(await scrapeVerdict()))
    }
    const postfix = await postfixVersion()
    const tables = [
      `Postfix ${postfix}, medians of ${rounds}, ${machine}`,
      ...(rows.length > 0 ? [formatRows(rows)] : []),
      ...(facts.length > 0 ? [table(['', ''], facts)] : []),
      formatVerdicts(verdicts),
    ].join('\n\n')
    console.log(values.json ? JSON.stringify({ postfix, machine, rows, verdicts, facts }) : tables)
    if (values.document) await document(tables)
    return verdicts.every(({ met }) => met) ? 0 : 1
  } finally {
    for (const stop of stops.toReversed()) await stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Puts the tables in the place of those of the last time. */
async function document(tables: string): Promise<void> {
  const path = new URL('../../docs/performance.md', import.meta.url).pathname
  const text = await readFile(path, 'utf8')
  const marked = /(<!-- npm run bench .*-->\n\n)[^]*(\n\n<!-- .* to here)/
  if (!marked.test(text)) throw new Error(`${path} has no marks between which the tables stand`)
  await writeFile(
    path,
    text.replace(marked, (_, begin: string, end: string) => begin + tables + end),
  )
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error)
  process.exitCode = 2
}
