import { rm } from 'node:fs/promises'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { testCertificates } from '../../support/certificates.ts'
import { postfixNeedsRoot, startPostfix, type Postfix } from '../../support/postfix.ts'
import { makeScratch } from '../../support/scratch.ts'
import { eventually, missing } from '../../support/server-process.ts'
import { consignment, resolverOf } from './consignment.ts'
import { deliver, directMx, never } from './delivery.ts'

describe.skipIf(missing('postfix', 'setsid') ?? postfixNeedsRoot())('to a real Postfix', () => {
  let folder: string
  let postfix: Postfix
  let caPem: string

  beforeAll(async () => {
    folder = await makeScratch()
    const certificates = await testCertificates(folder)
    caPem = certificates.caPem
    const tls = await certificates.issue('mx1.example.net')
    postfix = await startPostfix(folder, {
      hostname: 'mx1.example.net',
      domains: ['example.net', 'example.org'],
      tls,
      settings: { message_size_limit: '100000', smtpd_recipient_limit: '3' },
    })
  })

  afterAll(async () => {
    await postfix.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const hosts = () => resolverOf([['mx1.example.net', postfix.port]])

  async function received(marker: string): Promise<string> {
    const find = async () =>
      (await postfix.messages()).map(String).find(message => message.includes(marker))
    return eventually(find, `a message with ${marker}`)
  }

  test('a message goes over verified TLS, pipelined, with 8-bit content', async () => {
    const body = 'Subject: one-of-many\r\n\r\n..two dots\r\n.\r\nGrüße\r\nno line end'
    const outcomes = await deliver(hosts(), consignment({ body, eightBit: true }), {
      tls: { policy: 'required', ca: caPem },
    })
    expect(outcomes[0]).toMatchObject({ kind: 'delivered', tls: 'TLSv1.3', dsn: true })
    const message = await received('one-of-many')
    expect(message).toContain('using TLSv1.3')
    expect(message).toMatch(/\n\n\.\.two dots\n\.\nGrüße\nno line end\n$/)
  })

  test('a success report says what we handed over for its recipient', async () => {
    const mail = consignment({
      recipients: [
        { address: 'a@example.net', notify: ['success'], orcpt: 'rfc822;anna@example.com' },
        { address: 'b@example.net', notify: [] },
      ],
      ret: 'headers',
      envid: 'QQ314159',
    })
    const outcomes = await deliver(hosts(), mail)
    expect(outcomes.map(({ kind }) => kind)).toEqual(['delivered', 'delivered'])
    const report = await received('Original-Envelope-Id: QQ314159')
    expect(report).toContain('Original-Recipient: rfc822;anna@example.com')
    expect(report).not.toContain('b@example.net')
  })

  test('refusals keep the words of Postfix', async () => {
    const relayed = await deliver(hosts(), consignment({ recipients: ['x@[IPv6:bad'] }))
    expect(relayed[0]).toMatchObject({ kind: 'bounced', reply: { code: 501, enhanced: '5.1.3' } })
    const big = await deliver(hosts(), consignment({ size: 100_001 }))
    expect(big[0]).toMatchObject({ kind: 'bounced', reply: { code: 0, enhanced: '5.3.4' } })
  })

  test('recipients beyond its limit are deferred, the others delivered', async () => {
    const recipients = ['a', 'b', 'c', 'd', 'e'].map(name => `${name}@example.net`)
    const outcomes = await deliver(hosts(), consignment({ recipients }))
    expect(outcomes.map(({ kind }) => kind)).toEqual([
      'delivered',
      'delivered',
      'delivered',
      'deferred',
      'deferred',
    ])
    expect(outcomes[4]).toMatchObject({ reply: { code: 452, enhanced: '4.5.3' } })
  })

  test('a connection serves several messages', async () => {
    const transport = directMx(hosts())
    for (const number of [1, 2, 3]) {
      const body = `Subject: reused-${number}\r\n\r\nhello\r\n`
      const [outcome] = await transport.deliver(consignment({ body }), never)
      expect(outcome).toMatchObject({ kind: 'delivered', tls: 'TLSv1.3' })
    }
    expect(await received('reused-3')).toContain('hello')
  })
})
