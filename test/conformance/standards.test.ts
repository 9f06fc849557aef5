import { existsSync, readFileSync, writeFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import { MINUTE } from '../../src/base/clock.ts'
import { DEFAULT_LIMITS } from '../../src/relay/submission/limits.ts'
import { SMTP_TIMERS } from '../../src/relay/transport/smtp-timers.ts'
import { CHECKS } from './checks/all.ts'
import { EXCUSED } from './excused.ts'
import { readMeasurement, type Measurement } from './measurement.ts'
import { OUTBOUND } from './outbound.ts'
import { STANDARDS } from './standards.ts'
import { standardsPage } from './table.ts'

const root = new URL('../../', import.meta.url)
const page = new URL('docs/standards.md', root)

function read(path: string): string {
  return readFileSync(new URL(path, root), 'utf8')
}

describe('docs/standards.md', () => {
  it('says what the tests say', () => {
    const peer = readMeasurement('postfix')
    const text = standardsPage({
      checks: CHECKS,
      excused: EXCUSED,
      peer,
      outbound: OUTBOUND,
      standards: STANDARDS,
    })
    if (process.env['MAILCANARY_UPDATE_GOLDEN'] === '1') writeFileSync(page, text)
    expect(existsSync(page) && read('docs/standards.md')).toBe(text)
  })

  it('has an answer of Postfix to every question, and none to another', () => {
    const asked = CHECKS.map(({ id }) => id)
    expect(Object.keys(readMeasurement('postfix').findings).toSorted()).toEqual(asked.toSorted())
    expect(asked).toEqual([...new Set(asked)])
  })

  it('C14: a silent client has five minutes', () => {
    expect(DEFAULT_LIMITS.commandTime).toBe(5 * MINUTE)
  })

  it('N15: no timer is shorter than section 4.5.3.2 asks', () => {
    const asked = { greeting: 5, mail: 5, rcpt: 5, data: 2, block: 3, final: 10 } as const
    for (const [phase, minutes] of Object.entries(asked)) {
      expect(SMTP_TIMERS[phase as keyof typeof asked], phase).toBeGreaterThanOrEqual(
        minutes * MINUTE,
      )
    }
  })

  it.each(OUTBOUND)('$id has the tests that it names', ({ tests, remark }) => {
    for (const [file, title] of tests) expect(read(file)).toContain(title)
    expect(tests.length > 0 || remark !== undefined).toBe(true)
  })

  it.each(STANDARDS)('RFC $rfc is named where it is implemented', ({ rfc, files }) => {
    for (const file of files) expect(read(file), file).toContain(`RFC ${rfc}`)
  })
})

describe('docs/comparison.md', () => {
  const rows = read('docs/comparison.md')
    .split('\n')
    .filter(line => line.startsWith('|'))
    .map(line =>
      line
        .split('|')
        .slice(1, -1)
        .map(cell => cell.replaceAll(/\[\^\w+\]/g, '').trim()),
    )
  const measured = ['postfix', 'haraka'].map(readMeasurement)

  it.each([
    'PIPELINING',
    'SIZE',
    '8BITMIME',
    'SMTPUTF8',
    'ENHANCEDSTATUSCODES',
    'DSN',
    'CHUNKING',
    'REQUIRETLS',
    'FUTURERELEASE',
    'DELIVERBY',
    'ETRN',
  ])('says of %s what was measured', keyword => {
    const row = rows.find(([name = '']) => name.split(',')[0] === keyword)
    expect(row?.slice(2, 4)).toEqual(measured.map(({ offers }) => yes(offers.tls, keyword)))
  })

  it('counts what was measured', () => {
    for (const measurement of measured) {
      const name = `${measurement.server} ${measurement.version}`
      const row = rows.find(([first = '']) => first === name)
      expect(row?.slice(1).map(Number), name).toEqual(countsOf(measurement))
    }
    const own = rows.find(([first = '']) => first === 'mailcanary')
    const open = EXCUSED.size
    expect(own?.slice(1).map(Number)).toEqual([CHECKS.length - open, 0, 0, open, 0])
  })

  it('has a footnote to every mark', () => {
    const text = read('docs/comparison.md')
    for (const [mark] of text.matchAll(/\[\^\w+\](?!:)/g)) expect(text).toContain(`\n${mark}: `)
  })
})

function yes(offers: readonly string[], keyword: string): string {
  return offers.some(offer => offer.split(' ')[0] === keyword) ? 'yes' : 'no'
}

function countsOf({ findings }: Measurement): number[] {
  const outcomes = ['conformant', 'latitude', 'non-conformant', 'inconclusive'] as const
  const musts = CHECKS.filter(({ level }) => level === 'M' || level === 'MN')
  const broken = musts.filter(({ id }) => findings[id]?.outcome === 'non-conformant')
  return [
    ...outcomes.map(outcome => CHECKS.filter(({ id }) => findings[id]?.outcome === outcome).length),
    broken.length,
  ]
}
