import { describe, expect, it } from 'vitest'

import { LoginThrottle } from '../../../src/relay/submission/login-throttle.ts'

function throttle(options: { wrongLogins?: number } = {}): {
  guard: LoginThrottle
  wrong: (login: string, network: string, password: string) => string
  pass: (milliseconds: number) => void
} {
  let now = 1_000_000
  const guard = new LoginThrottle({
    key: Buffer.from('test data'),
    wrongPasswords: 5,
    wrongLogins: options.wrongLogins ?? 50,
    window: 60_000,
    delay: 1_000,
    clock: () => now,
  })
  return {
    guard,
    pass: milliseconds => {
      now += milliseconds
    },
    wrong: (login, network, password) => {
      const verdict = guard.enter(login, network, password)
      if (verdict.kind === 'open') guard.leave(login, network, password, 'wrong')
      return verdict.kind === 'open' ? `open ${verdict.delay}` : 'closed'
    },
  }
}

const HERE = '192.0.2.1'
const ELSEWHERE = '198.51.100.1'

describe('LoginThrottle', () => {
  it('counts guesses at both passwords of a person together', () => {
    const { guard } = throttle()
    const guess = (password: string, of: 'mail' | 'directory'): string => {
      const { kind } = guard.enter('alice', HERE, password, of)
      if (kind === 'open') guard.leave('alice', HERE, password, 'wrong', of)
      return kind
    }
    for (const password of ['1', '2', '3']) expect(guess(password, 'mail')).toBe('open')
    for (const password of ['4', '5']) expect(guess(password, 'directory')).toBe('open')
    expect(guess('6', 'directory')).toBe('closed')
    expect(guess('6', 'mail')).toBe('closed')
  })

  it('who knows one password is not let guess at the other', () => {
    const { guard } = throttle()
    for (let n = 0; n < 5; n++) {
      guard.enter('alice', HERE, `${n}`, 'directory')
      guard.leave('alice', HERE, `${n}`, 'wrong', 'directory')
      guard.enter('alice', HERE, 'right', 'mail')
      guard.leave('alice', HERE, 'right', 'right', 'mail')
    }
    expect(guard.enter('alice', HERE, 'another', 'directory')).toEqual({ kind: 'closed' })
    expect(guard.enter('alice', HERE, 'right', 'directory')).toEqual({ kind: 'closed' })
    expect(guard.enter('alice', HERE, 'right', 'mail')).toMatchObject({ kind: 'open' })
  })

  it('slows down, then closes, for distinct wrong passwords', () => {
    const { wrong } = throttle()
    const verdicts = [1, 2, 3, 4, 5, 6].map(n => wrong('alice', HERE, `guess ${n}`))
    expect(verdicts).toEqual(['open 0', 'open 0', 'open 0', 'open 1000', 'open 2000', 'closed'])
  })

  it('counts a repeated wrong password once', () => {
    const { wrong } = throttle()
    for (let n = 0; n < 100; n++) expect(wrong('alice', HERE, 'last year')).toBe('open 0')
  })

  it('lets the victim in from elsewhere, and others in from the same network', () => {
    const { guard, wrong } = throttle()
    for (let n = 0; n < 9; n++) wrong('alice', HERE, `guess ${n}`)
    expect(guard.enter('alice', HERE, 'right').kind).toBe('closed')
    expect(guard.enter('ALICE', HERE, 'right').kind).toBe('closed')
    expect(guard.enter('alice', ELSEWHERE, 'right').kind).toBe('open')
    expect(guard.enter('bob', HERE, 'right').kind).toBe('open')
  })

  it('counts what is being checked, so that parallel guesses are not free', () => {
    const { guard } = throttle()
    const verdicts = [1, 2, 3, 4, 5, 6].map(n => guard.enter('alice', HERE, `guess ${n}`).kind)
    expect(verdicts).toEqual(['open', 'open', 'open', 'open', 'open', 'closed'])
  })

  it('lets any number of programs with the same password in at once', () => {
    const { guard } = throttle()
    for (let n = 0; n < 100; n++) expect(guard.enter('alice', HERE, 'right').kind).toBe('open')
  })

  it('lets the password in that was right before, however many others guess at it from the same network', () => {
    const { guard, wrong } = throttle()
    guard.enter('alice', ELSEWHERE, 'right')
    guard.leave('alice', ELSEWHERE, 'right', 'right')
    for (let n = 0; n < 9; n++) wrong('alice', HERE, `guess ${n}`)
    expect(guard.enter('alice', HERE, 'guess 9').kind).toBe('closed')
    expect(guard.enter('Alice', HERE, 'right').kind).toBe('open')
  })

  it('slows a network down that tries one password on everybody, and never closes it', () => {
    const { guard, wrong } = throttle({ wrongLogins: 20 })
    const verdicts = Array.from({ length: 200 }, (_, n) => wrong(`login${n}`, HERE, 'spring'))
    expect(verdicts.at(19)).toBe('open 0')
    expect(verdicts.at(20)).toBe('open 1000')
    expect(verdicts.at(49)).toBe('open 30000')
    expect(verdicts.at(199)).toBe('open 30000')
    expect(guard.enter('alice', HERE, 'right').kind).toBe('open')
    expect(wrong('bob', ELSEWHERE, 'spring')).toBe('open 0')
  })

  it('lets guesses that come all at once wait as if they had come one after the other', () => {
    const { guard } = throttle({ wrongLogins: 20 })
    const delays = Array.from({ length: 30 }, (_, n) => guard.enter(`login${n}`, HERE, 'spring'))
    expect(delays.at(29)).toEqual({ kind: 'open', delay: 10_000 })
  })

  it('forgets after its window, and at a right password', () => {
    const { guard, wrong, pass } = throttle()
    for (let n = 0; n < 6; n++) wrong('alice', HERE, `guess ${n}`)
    pass(60_001)
    expect(wrong('alice', HERE, 'guess 7')).toBe('open 0')
    guard.enter('alice', HERE, 'right')
    guard.leave('alice', HERE, 'right', 'right')
    for (let n = 0; n < 3; n++) expect(wrong('alice', HERE, `again ${n}`)).toBe('open 0')
  })

  it('does not count what could not be checked', () => {
    const { guard } = throttle()
    for (let n = 0; n < 20; n++) {
      expect(guard.enter('alice', HERE, `try ${n}`).kind).toBe('open')
      guard.leave('alice', HERE, `try ${n}`, 'unknown')
    }
    expect(guard.size).toBe(0)
  })

  it('remembers a bounded number of networks', () => {
    const { guard, wrong } = throttle()
    for (let n = 0; n < 12_000; n++) wrong('alice', `network ${n}`, 'x')
    expect(guard.size).toBe(20_000)
  })
})
