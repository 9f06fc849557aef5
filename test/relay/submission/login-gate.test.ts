import { expect, test } from 'vitest'

import { LoginGate } from '../../../src/relay/submission/login-gate.ts'
import { throttleOf } from '../../support/throttle.ts'

const staying = new AbortController()

test('guesses at one login count together, however it is written', async () => {
  let asked = 0
  const gate = new LoginGate({
    authenticate: async () => {
      asked++
      return { kind: 'refused' }
    },
    loginOf: text => text.toLowerCase().replace(/@example\.(?:org|net)$/, ''),
    throttle: throttleOf(() => 1),
    report: () => undefined,
  })
  const spellings = ['alice', 'ALICE', 'alice@example.org', 'Alice@example.net']
  const replies = []
  // Those who wait for an answer that comes late are not waited for.
  const gone = { signal: AbortSignal.abort() }
  for (let n = 0; n < 14; n++) {
    const login = spellings[n % spellings.length] ?? ''
    const answer = await gate.attempt({ login, password: `guess ${n}` }, '192.0.2.1', gone)
    replies.push(answer.kind === 'refused' ? answer.reply.code : 235)
  }
  expect(asked).toBe(10)
  expect(replies.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 535))
  expect(new Set(replies.slice(10)).has(235)).toBe(false)
  const other = await gate.attempt({ login: 'bob', password: 'guess' }, '192.0.2.1', staying)
  expect(other).toMatchObject({ kind: 'refused', reply: { code: 535 } })
  expect(asked).toBe(11)
})
