import { expect, test } from 'vitest'

import { csvLine } from '../../src/web/csv.ts'

test('a line is one of RFC 4180', () => {
  expect(csvLine(['a', 1, undefined, 'b "c", d', 'e\nf'])).toBe('a,1,,"b ""c"", d","e\nf"\r\n')
})

test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1'])('%j is no formula to a spreadsheet', text => {
  expect(csvLine([text])).toBe(`'${text}\r\n`)
})
