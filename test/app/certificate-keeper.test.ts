import { rename, symlink, unlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { beforeEach, describe, expect, it } from 'vitest'

import { CertificateKeeper } from '../../src/app/certificate-keeper.ts'
import {
  createAuthority,
  type Authority,
  type CertificatePair,
} from '../../src/base/certificate.ts'
import { DAY, MINUTE, SECOND } from '../../src/base/clock.ts'
import type { ServerIdentities } from '../../src/base/server-tls.ts'
import { certificateFiles, rereadIdentities } from '../../src/config/certificates.ts'
import type { RelayEvent } from '../../src/relay/events.ts'
import { scratchFolder } from '../support/scratch.ts'
import { eventually } from '../support/server-process.ts'

const HOSTNAME = 'relay.example.org'

let authority: Authority
let folder: string
let now: number
let events: RelayEvent[]
let used: ServerIdentities[]
let keeper: CertificateKeeper

const file = (name: string): string => join(folder, name)

async function put({ certificate, key }: CertificatePair): Promise<void> {
  await writeFile(file('relay.crt'), certificate)
  await writeFile(file('relay.key'), key)
}

beforeEach(async () => {
  authority = await createAuthority('mailcanary test authority')
  folder = await scratchFolder()
  now = Date.now()
  events = []
  used = []
  await put(await authority.issue([HOSTNAME]))
  const config = {
    hostname: HOSTNAME,
    tls: { certificate: file('relay.crt'), key: file('relay.key') },
  }
  keeper = new CertificateKeeper({
    identities: rereadIdentities(config, now),
    files: certificateFiles(config),
    read: at => rereadIdentities(config, at),
    use: identities => used.push(identities),
    report: event => events.push(event),
    clock: () => now,
    every: 10,
  })
  await keeper.look()
})

const causes = (): string[] =>
  events.map(event => (event.kind === 'relay-fault' ? event.cause : event.kind))

describe('CertificateKeeper', () => {
  it('leaves alone what has not changed', async () => {
    await keeper.look()
    await keeper.look()
    expect(used).toEqual([])
    expect(events).toEqual([])
  })

  it('takes over a renewed certificate by itself, once', async () => {
    // Certificates know no milliseconds.
    const end = Math.floor(now / SECOND) * SECOND + 7 * DAY
    expect(keeper.expiry).not.toBe(end)
    await keeper.start()
    try {
      await put(await authority.issue([HOSTNAME, 'smtp.example.org'], new Date(end)))
      await eventually(() => used.length > 0 || undefined, 'the renewed certificate')
    } finally {
      await keeper.stop()
    }
    expect(used).toHaveLength(1)
    expect(events).toEqual([
      {
        kind: 'certificate-reloaded',
        names: [`${HOSTNAME}, smtp.example.org`],
        expiry: end,
      },
    ])
    expect(keeper.expiry).toBe(end)
  })

  it('sees files of the same size and time put in their place, and links that lead elsewhere', async () => {
    const at = new Date(now)
    const place = async (name: string, text: string): Promise<void> => {
      await writeFile(file('next'), text.padEnd(2_000, '\n'))
      await utimes(file('next'), at, at)
      await rename(file('next'), file(name))
    }
    for (const { certificate, key } of [
      await authority.issue([HOSTNAME]),
      await authority.issue([HOSTNAME]),
    ]) {
      used.length = 0
      await place('relay.crt', certificate)
      await place('relay.key', key)
      await keeper.look()
      expect(used).toHaveLength(1)
    }
    const other = await authority.issue([HOSTNAME])
    await place('archive.crt', other.certificate)
    await place('archive.key', other.key)
    for (const name of ['crt', 'key']) {
      await unlink(file(`relay.${name}`))
      await symlink(file(`archive.${name}`), file(`relay.${name}`))
    }
    await keeper.look()
    expect(used).toHaveLength(2)
  })

  it('waits for the key of a new certificate, and takes both', async () => {
    const pair = await authority.issue([HOSTNAME])
    await writeFile(file('relay.crt'), pair.certificate)
    await keeper.look()
    expect(used).toEqual([])
    await writeFile(file('relay.key'), pair.key)
    await keeper.look()
    expect(causes()).toEqual(['certificate-reloaded'])
  })

  it.each<readonly [string, () => Promise<unknown>, string]>([
    [
      'a key that does not fit',
      async () => writeFile(file('relay.key'), (await authority.issue([HOSTNAME])).key),
      'tls.key: does not belong to the certificate',
    ],
    [
      'a certificate that has ended',
      async () => put(await authority.issue([HOSTNAME], new Date(now - MINUTE))),
      'tls.certificate: ended on ',
    ],
    [
      'a certificate of another name',
      async () => put(await authority.issue(['other.example.org'])),
      'tls.certificate: is not for relay.example.org but for ',
    ],
    [
      'half a file',
      async () => {
        const pair = await authority.issue([HOSTNAME])
        await put({ ...pair, certificate: pair.certificate.slice(0, 300) })
      },
      'tls: certificate and key should both be PEM: ',
    ],
    ['no file at all', () => unlink(file('relay.crt')), 'tls.certificate: there is no file '],
  ])('keeps the certificate in use instead of %s, and says so once', async (_, spoil, says) => {
    const { expiry } = keeper
    await spoil()
    for (let i = 0; i < 4; i++) await keeper.look()
    expect(causes()).toEqual([
      expect.stringContaining(`not reloaded, the ones in use stay: ${says}`),
    ])
    expect(used).toEqual([])
    expect(keeper.expiry).toBe(expiry)
    await put(await authority.issue([HOSTNAME]))
    await keeper.look()
    expect(used).toHaveLength(1)
  })

  it('reads again and answers at once when it is told to', async () => {
    await keeper.reload()
    expect(causes()).toEqual(['certificate-reloaded'])
    await writeFile(file('relay.key'), 'no key')
    await keeper.reload()
    expect(causes()[1]).toMatch(/not reloaded/)
    expect(used).toHaveLength(1)
  })
})
