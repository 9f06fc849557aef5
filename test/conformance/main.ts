import { parseArgs } from 'node:util'

import { find, OUTCOMES, type Outcome } from './check.ts'
import { CHECKS } from './checks/all.ts'

const USAGE = `Usage: test/conformance/run HOST PORT USER [--sender ADDRESS] [--recipient ADDRESS] [--drastic] [--only ID]

Puts the questions of sections C, T, A, E, D and P to a submission server and prints what it found. The password is
read from MAILCANARY_PASSWORD. Port 465 is taken for implicit TLS, any other for STARTTLS (--tls says otherwise).
Some messages are really submitted, from the sender to the recipient; both are USER if not given. With --drastic
there are checks that take minutes or lock this network out of the login for a while.

Exit code 0: nothing non-conformant was found; 1: something was; 2: the questions could not be put.`

const MARKS: Readonly<Record<Outcome, string>> = {
  conformant: 'ok  ',
  'non-conformant': 'FAIL',
  latitude: 'may ',
  inconclusive: '?   ',
}

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      sender: { type: 'string' },
      recipient: { type: 'string' },
      tls: { type: 'string' },
      only: { type: 'string' },
      drastic: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const [host, port, login] = positionals
  const password = process.env['MAILCANARY_PASSWORD']
  if (values.help || !host || !login || !Number(port) || password === undefined) {
    console.error(USAGE)
    return values.help ? 0 : 2
  }
  const tls = values.tls ?? (port === '465' ? 'implicit' : 'starttls')
  const sender = values.sender ?? login
  if (!sender.includes('@')) {
    console.error(`${login} is no address: say with --sender ADDRESS as whom to send`)
    return 2
  }
  const counts = new Map<Outcome, number>(OUTCOMES.map(outcome => [outcome, 0]))
  for (const check of CHECKS) {
    if (values.only !== undefined && values.only !== check.id) continue
    const { outcome, detail } = await find(check, {
      endpoint: { host, port: Number(port), tls: tls === 'implicit' ? 'implicit' : 'starttls' },
      login,
      password,
      sender,
      recipient: values.recipient ?? sender,
      drastic: values.drastic,
    })
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
    const id = check.id.padEnd(5)
    console.log(
      `${MARKS[outcome]} ${id} ${check.level.padEnd(3)} ${check.statement} (${check.source})`,
    )
    if (detail !== '') console.log(`           ${detail.replaceAll(/[^ -~]/g, '.').slice(0, 200)}`)
  }
  console.log(OUTCOMES.map(outcome => `${counts.get(outcome)} ${outcome}`).join(', '))
  return counts.get('non-conformant') === 0 ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 2
}
