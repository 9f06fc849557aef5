import { inspect } from 'node:util'

import { expect, test } from 'vitest'

import { Secret } from '../../src/base/secret.ts'

test('a secret shows itself only when asked to', () => {
  const secret = new Secret('canary-demo')
  const shown = [
    String(secret),
    secret.toString(),
    JSON.stringify({ secret }),
    inspect(secret),
    inspect({ deep: [secret] }, { showHidden: true, depth: 9 }),
  ]
  for (const text of shown) {
    expect(text).toContain('<secret>')
    expect(text).not.toContain('canary-demo')
  }
  expect(secret.reveal()).toBe('canary-demo')
})
