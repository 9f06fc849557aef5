import { describe, expect, it } from 'vitest'

import { submissionRules } from '../../src/app/submission-rules.ts'
import { relaySchema } from '../../src/config/relay-schema.ts'
import { DEFAULT_LIMITS } from '../../src/relay/submission/limits.ts'
import { WireClient } from '../conformance/wire-client.ts'
import { MESSAGE, PASSWORD, run, submit, type Running } from '../relay/submission/fixture.ts'

type Rules = ReturnType<typeof submissionRules>

/** What a file with these sections makes of a relay. */
function rules(sections: Record<string, unknown> = {}): Rules {
  const config = relaySchema.parse({
    hostname: 'relay.example.org',
    listen: {},
    tls: { certificate: 'a', key: 'b' },
    directory: { domains: ['example.org'] },
    ...sections,
  })
  return submissionRules({ config })
}

const relay = (sections: Record<string, unknown>): Promise<Running> => run(rules(sections))

const BARE = MESSAGE.replace('Hello Bob', 'Hello\nBob')

describe('the file says of submission', () => {
  it('that bare newlines are rejected, or made CRLF', async () => {
    const strict = await relay({})
    const client = await strict.session()
    expect(await submit(client, { content: BARE })).toMatch(/^550 5\.6\.0 /)
    // The session stays usable.
    expect(await submit(client)).toMatch(/^250 /)
    const kind = await relay({ submission: { bare_newlines: 'normalize' } })
    expect(await submit(await kind.session(), { content: BARE })).toMatch(/^250 /)
    expect(kind.store.only.body.toString()).toContain('\r\nHello\r\nBob\r\n')
  })

  it('whether the null sender is taken', async () => {
    const kind = await relay({})
    expect(await submit(await kind.session(), { from: '<>' })).toMatch(/^250 /)
    const strict = await relay({ submission: { null_sender: 'reject' } })
    expect(await submit(await strict.session(), { from: '<>' })).toMatch(/^550 5\.7\.1 /)
  })

  it('how many connections one network has', async () => {
    const { session, implicit } = await relay({ limits: { connections_per_network: 2 } })
    await session()
    await session()
    const third = await WireClient.connect(implicit)
    expect((await third.reply()).text).toBe('421 4.7.0 Too many connections, try later')
  })

  it('how long a command and a login may take', async () => {
    const impatient = await relay({ limits: { command_time: '1s' } })
    expect((await (await impatient.session()).reply()).text).toBe('421 4.4.2 Timeout')
    const { client } = await relay({ limits: { login_time: '1s' } })
    expect((await (await client()).reply()).text).toBe('421 4.4.2 Timeout')
  })

  it('after how many wrong passwords there is an end, and for whom not', async () => {
    const { client, session } = await relay({ limits: { wrong_passwords: 3 } })
    await session()
    const codes: number[] = []
    for (let n = 0; n < 4; n++) {
      codes.push((await (await client()).logIn('alice', `guess ${n}`)).code)
    }
    expect(codes).toEqual([535, 535, 535, 421])
    // Who guesses here is not she: what was right before still is.
    expect((await (await client()).logIn('alice', PASSWORD)).code).toBe(235)
  })

  it('all the rest, in the units of the relay', () => {
    const { limits } = rules({
      limits: {
        message_size: '1MiB',
        recipients: 7,
        connections: 8,
        memory: '2MiB',
        minimum_rate: 9,
        wrong_logins: 10,
      },
    })
    expect(limits).toMatchObject({
      messageBytes: 1_048_576,
      recipients: 7,
      connections: 8,
      memoryBytes: 2_097_152,
      minimumRate: 9,
      wrongLogins: 10,
    })
  })
})

it('what the file says by default is what the relay does by itself', () => {
  const { limits, bareNewlines, nullReversePath } = rules()
  // Sizes of messages are the file's own: what providers take is not for the relay to know.
  const { messageBytes, recipients, ...rest } = limits ?? {}
  expect(DEFAULT_LIMITS).toMatchObject(rest)
  expect({ messageBytes, recipients }).toEqual({ messageBytes: 52_428_800, recipients: 100 })
  expect({ bareNewlines, nullReversePath }).toEqual({
    bareNewlines: 'reject',
    nullReversePath: 'allow',
  })
})
