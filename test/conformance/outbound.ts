/** What is demanded of us as a client, and of our reports: each has tests in the suite instead of a check of its own. */
export interface OutboundRequirement {
  readonly id: string
  readonly statement: string
  readonly source: string
  readonly level: string
  /** File and title of the tests; none where the thing is not offered. */
  readonly tests: readonly (readonly [file: string, title: string])[]
  readonly remark?: string
}

const DSN = 'test/mail/dsn.test.ts'
const REPORTS = 'test/relay/queue/reports.test.ts'
const RUNNER = 'test/relay/queue/runner.test.ts'
const RETRY = 'test/relay/queue/retry.test.ts'
const DIRECT = 'test/relay/transport/direct-mx.test.ts'
const WALK = 'test/relay/transport/mx-walk.test.ts'
const FAULTS = 'test/relay/transport/mx-faults.test.ts'
const NOT_FORCED = 'what a host does not offer is not forced on it'

export const OUTBOUND: readonly OutboundRequirement[] = [
  {
    id: 'N01',
    statement: 'A failure report goes from the null reverse path to the sender, and asks for none',
    source: 'RFC 3461 6.1, RFC 5321 6.1',
    level: 'M',
    tests: [[RUNNER, 'a refusal is reported to the sender by a message of its own']],
  },
  {
    id: 'N02',
    statement: 'Reports are multipart/report of delivery-status in three parts',
    source: 'RFC 3461 6.2, RFC 3464 2',
    level: 'M',
    tests: [[DSN, 'name their three parts']],
  },
  {
    id: 'N03',
    statement: 'Reports carry the fields of RFC 3464 and the remote’s own words',
    source: 'RFC 3461 6.3, 9.2, RFC 3464 2.2-2.3',
    level: 'M',
    tests: [
      [DSN, 'say of one failure everything the remote said'],
      [DSN, 'blame no other host for a refusal of our own'],
    ],
  },
  {
    id: 'N04',
    statement: 'ENVID and ORCPT come back decoded, or not at all',
    source: 'RFC 3461 6.3',
    level: 'M',
    tests: [[DSN, 'return ENVID and ORCPT decoded, and only where they were given']],
  },
  {
    id: 'N05',
    statement: 'Nobody gets a report that NOTIFY forbids',
    source: 'RFC 3461 5.2.5, 5.2.6',
    level: 'MN',
    tests: [[REPORTS, 'which reports are owed']],
  },
  {
    id: 'N06',
    statement: 'DSN parameters are passed on unchanged, or answered by a report of relaying',
    source: 'RFC 3461 5.2.1, 5.2.2',
    level: 'M',
    tests: [
      [
        DIRECT,
        'DSN parameters go to each recipient as they were asked for, and only where offered',
      ],
      [REPORTS, 'a next hop with DSN reports success itself'],
    ],
  },
  {
    id: 'N07',
    statement: 'A report names only recipients that are owed one',
    source: 'RFC 3461 5.2.8',
    level: 'S',
    tests: [[REPORTS, 'recipients with one fate share a report, in which nobody else stands']],
  },
  {
    id: 'N08',
    statement: 'No report is made about a report; the postmaster is told',
    source: 'RFC 3461 5.2, RFC 5321 3.6.3, 6.1',
    level: 'MN',
    tests: [
      [REPORTS, 'nothing is ever owed to the null reverse path'],
      [
        RUNNER,
        'a report that cannot be delivered is told to the postmaster, and not reported again',
      ],
    ],
  },
  {
    id: 'N09',
    statement: 'A message that needs SMTPUTF8 is not given to a hop without it',
    source: 'RFC 6531 3.2, 3.5',
    level: 'MN',
    tests: [
      [DIRECT, NOT_FORCED],
      [DIRECT, 'the next host may offer what the first does not'],
    ],
  },
  {
    id: 'N10',
    statement: 'REQUIRETLS is kept to towards the next hop',
    source: 'RFC 8689 4.2.1, 5',
    level: 'M',
    tests: [],
    remark: 'REQUIRETLS is not offered: see below',
  },
  {
    id: 'N11',
    statement: 'TLS-Required: No is ignored when REQUIRETLS is set',
    source: 'RFC 8689 3, 4.1',
    level: 'M',
    tests: [],
    remark: 'REQUIRETLS is not offered: see below',
  },
  {
    id: 'N12',
    statement:
      'MX hosts by preference, equals in turns, several addresses, loops cut, null MX final',
    source: 'RFC 5321 5.1, RFC 7505',
    level: 'M',
    tests: [
      [WALK, 'a refused connection leads to the next address, then to the next host'],
      [WALK, 'hosts of one preference take turns, those of different preference do not'],
      [WALK, 'a domain whose best host is this one is a loop'],
      [WALK, 'without a host'],
    ],
  },
  {
    id: 'N13',
    statement: 'Retries wait and are configurable; after five days the sender is told',
    source: 'RFC 5321 4.5.4.1',
    level: 'M',
    tests: [
      [RETRY, 'every message comes to its end, with a last try at the limit'],
      [RUNNER, 'after five days it is given up, with the last reply'],
    ],
  },
  {
    id: 'N14',
    statement: 'Recipients behind one hop share a transaction',
    source: 'RFC 5321 4.5.4.1',
    level: 'S',
    tests: [[DIRECT, 'more than a hundred recipients take several transactions on one connection']],
  },
  {
    id: 'N15',
    statement: 'A timer for each phase, none shorter than section 4.5.3.2 asks',
    source: 'RFC 5321 4.5.3.2',
    level: 'M',
    tests: [[FAULTS, 'a fault before the final dot']],
    remark: 'the numbers are checked as well',
  },
  {
    id: 'N16',
    statement: 'Content of eight bits is not given to a hop of seven',
    source: 'RFC 5321 2.4, RFC 6152',
    level: 'MN',
    tests: [[DIRECT, NOT_FORCED]],
    remark: 'it is bounced, not converted',
  },
]
