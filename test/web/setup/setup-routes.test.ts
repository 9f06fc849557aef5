import { execFile } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import type { CertificatePair } from '../../../src/base/certificate.ts'
import type { ClientSettings } from '../../../src/mail/client-settings.ts'
import { PublicServer } from '../../../src/web/public-server.ts'
import { setupRoutes } from '../../../src/web/setup/setup-routes.ts'
import { testCertificates } from '../../support/certificates.ts'
import { clientSettingsOf } from '../../support/client-settings.ts'
import { freePort } from '../../support/ports.ts'
import { makeScratch, scratchFolder } from '../../support/scratch.ts'
import { missing } from '../../support/server-process.ts'

/* What programs ask for, as they ask; judged by xmllint, plistlib and openssl. Thunderbird itself: test/end-to-end. */

const run = promisify(execFile)
const MIDDAY = Date.UTC(2026, 10, 20, 12)

let pair: CertificatePair
let caPem: string
let server: PublicServer | undefined

let folder: string
beforeAll(async () => {
  folder = await makeScratch()
  const certificates = await testCertificates(folder)
  const { certificatePem, keyPem } = await certificates.issue('relay.example.org')
  pair = { certificate: certificatePem, key: keyPem }
  caPem = certificates.caPem
})

afterAll(() => rm(folder, { recursive: true }))
afterEach(async () => {
  await server?.stop()
  server = undefined
})

async function started(
  changes: Partial<ClientSettings> = {},
  identity: CertificatePair = pair,
): Promise<string> {
  const port = await freePort()
  const routes = setupRoutes({
    facts: clientSettingsOf(changes),
    identity: () => identity,
    clock: () => MIDDAY,
  })
  server = new PublicServer({ host: '127.0.0.1', port, routes: [routes] })
  await server.start()
  return `http://127.0.0.1:${port}`
}

/** Has xmllint hold a document against a schema. */
async function validated(document: string, schema: string): Promise<void> {
  const path = join(await scratchFolder(), 'document.xml')
  await writeFile(path, document)
  const rng = new URL(`./schemas/${schema}.rng`, import.meta.url).pathname
  await run('xmllint', ['--noout', '--nonet', '--relaxng', rng, path])
}

function question(address: string, schema = 'outlook/responseschema/2006a'): string {
  return `<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006">
  <Request>
    <EMailAddress>${address}</EMailAddress>
    <AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/${schema}</AcceptableResponseSchema>
  </Request>
</Autodiscover>`
}

function ask(
  origin: string,
  body: string,
  path = '/autodiscover/autodiscover.xml',
): Promise<Response> {
  return fetch(origin + path, { method: 'POST', body, headers: { 'content-type': 'text/xml' } })
}

test('autoconfig is the same at both places, for everybody, and has all that a program needs', async () => {
  const origin = await started()
  const texts = await Promise.all(
    [
      '/.well-known/autoconfig/mail/config-v1.1.xml',
      '/mail/config-v1.1.xml?emailaddress=alice%40example.org',
      '/mail/config-v1.1.xml?emailaddress=nobody%40elsewhere.example',
    ].map(async path => {
      const answer = await fetch(origin + path)
      expect(answer.headers.get('content-type')).toBe('text/xml; charset=utf-8')
      return answer.text()
    }),
  )
  expect(new Set(texts).size).toBe(1)
  expect(texts[0]).toMatchInlineSnapshot(`
    "<?xml version="1.0" encoding="UTF-8"?>
    <clientConfig version="1.1">
      <emailProvider id="example.org">
        <domain>example.org</domain>
        <domain>lists.example.org</domain>
        <displayName>Example &#38; Sons</displayName>
        <displayShortName>Example &#38; Sons</displayShortName>
        <incomingServer type="imap">
          <hostname>imap.example.org</hostname>
          <port>993</port>
          <socketType>SSL</socketType>
          <username>%EMAILADDRESS%</username>
          <authentication>password-cleartext</authentication>
        </incomingServer>
        <outgoingServer type="smtp">
          <hostname>relay.example.org</hostname>
          <port>465</port>
          <socketType>SSL</socketType>
          <username>%EMAILLOCALPART%</username>
          <authentication>password-cleartext</authentication>
        </outgoingServer>
        <outgoingServer type="smtp">
          <hostname>relay.example.org</hostname>
          <port>587</port>
          <socketType>STARTTLS</socketType>
          <username>%EMAILLOCALPART%</username>
          <authentication>password-cleartext</authentication>
        </outgoingServer>
      </emailProvider>
    </clientConfig>
    "
  `)
})

describe.skipIf(missing('xmllint'))('held against their schemas', () => {
  test.each<Partial<ClientSettings>>([
    {},
    { submissions: 0 },
    { submission: 0 },
    {
      incoming: [
        { type: 'pop3', host: 'pop.example.org', port: 110, tls: 'starttls', username: 'login' },
        { type: 'imap', host: 'imap.example.org', port: 993, tls: 'implicit', username: 'address' },
      ],
    },
  ])('autoconfig and autodiscover with %j', async changes => {
    const origin = await started(changes)
    const config = await (await fetch(`${origin}/mail/config-v1.1.xml`)).text()
    await validated(config, 'autoconfig')
    await validated(await (await ask(origin, question('alice@example.org'))).text(), 'autodiscover')
  })

  test('a schema does refuse what is wrong', async () => {
    const config = await (await fetch(`${await started()}/mail/config-v1.1.xml`)).text()
    await expect(validated(config.replace('>SSL<', '>TLS<'), 'autoconfig')).rejects.toThrow()
  })

  test.each([
    ['alice@elsewhere.example', undefined, '500'],
    ['alice@example.org', 'mobilesync/responseschema/2006', '601'],
    ['a&amp;b@example.org', undefined, '500'],
  ])('Outlook is refused for %s by the schema %s: %s', async (address, schema, code) => {
    const answer = await ask(await started(), question(address, schema))
    const text = await answer.text()
    expect(answer.status).toBe(200)
    expect(text).toContain(`<ErrorCode>${code}</ErrorCode>`)
    expect(text).toContain('Time="12:00:00"')
    await validated(text, 'autodiscover')
  })
})

test('Outlook is told both servers, with the name of who asks and of nobody else', async () => {
  const origin = await started()
  const answer = await ask(
    origin,
    question('Alice@Lists.Example.org'),
    '/Autodiscover/Autodiscover.xml',
  )
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect(await answer.text()).toMatchInlineSnapshot(`
    "<?xml version="1.0" encoding="utf-8"?>
    <Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">
      <Response xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a">
        <Account>
          <AccountType>email</AccountType>
          <Action>settings</Action>
          <Protocol>
            <Type>IMAP</Type>
            <Server>imap.example.org</Server>
            <Port>993</Port>
            <LoginName>alice@lists.example.org</LoginName>
            <DomainRequired>off</DomainRequired>
            <SPA>off</SPA>
            <SSL>on</SSL>
            <Encryption>SSL</Encryption>
            <AuthRequired>on</AuthRequired>
          </Protocol>
          <Protocol>
            <Type>SMTP</Type>
            <Server>relay.example.org</Server>
            <Port>465</Port>
            <LoginName>alice</LoginName>
            <DomainRequired>off</DomainRequired>
            <SPA>off</SPA>
            <SSL>on</SSL>
            <Encryption>SSL</Encryption>
            <AuthRequired>on</AuthRequired>
            <UsePOPAuth>off</UsePOPAuth>
            <SMTPLast>off</SMTPLast>
          </Protocol>
        </Account>
      </Response>
    </Autodiscover>
    "
  `)
})

test('whether somebody exists cannot be found out', async () => {
  const origin = await started()
  const of = async (login: string): Promise<string> =>
    (await (await ask(origin, question(`${login}@example.org`))).text()).replaceAll(login, 'X')
  expect(await of('alice')).toBe(await of('nobody-of-this-name'))
})

test('what is too long, or no XML at all, is refused', async () => {
  const origin = await started()
  expect((await ask(origin, question('a'.repeat(5_000)))).status).toBe(413)
  expect(await (await ask(origin, '\0')).text()).toContain('<ErrorCode>500</ErrorCode>')
  expect((await fetch(`${origin}/autodiscover/autodiscover.xml`)).status).toBe(404)
})

test.each([
  ['?Email=alice%40example.org&Protocol=AutodiscoverV1', 200],
  ['/v1.0/alice@example.org?protocol=autodiscoverv1', 200],
  ['?Protocol=ActiveSync', 400],
  ['?Email=alice%40example.org', 400],
])('the question in JSON %s is answered %i', async (query, status) => {
  const origin = await started()
  const answer = await fetch(`${origin}/autodiscover/autodiscover.json${query}`)
  expect(answer.status).toBe(status)
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
  expect(await answer.json()).toEqual(
    status === 200
      ? {
          Protocol: 'AutodiscoverV1',
          Url: 'https://relay.example.org/autodiscover/autodiscover.xml',
        }
      : { ErrorCode: expect.any(String) as string, ErrorMessage: expect.any(String) as string },
  )
})

async function profileOf(text: Buffer): Promise<Record<string, unknown>> {
  const path = join(await scratchFolder(), 'profile')
  await writeFile(path, text)
  const script =
    'import plistlib,json,sys; print(json.dumps(plistlib.load(open(sys.argv[1],"rb"), fmt=plistlib.FMT_XML)))'
  return JSON.parse((await run('python3', ['-c', script, path])).stdout) as Record<string, unknown>
}

/** Takes a profile out of its signature, as a device does that trusts this authority. */
async function verified(signed: Buffer, authority = caPem): Promise<Buffer> {
  const folder = await scratchFolder()
  await writeFile(join(folder, 'signed'), signed)
  await writeFile(join(folder, 'ca.pem'), authority)
  // A certificate of a TLS server is for no other purpose; Apple takes it nevertheless.
  const { stdout } = await run(
    'openssl',
    ['cms', '-verify', '-inform', 'DER', '-in', 'signed', '-CAfile', 'ca.pem', '-purpose', 'any'],
    { cwd: folder, encoding: 'buffer' },
  )
  return stdout
}

async function download(origin: string, query = ''): Promise<Buffer> {
  const answer = await fetch(`${origin}/apple.mobileconfig${query}`)
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-type')).toBe('application/x-apple-aspen-config')
  return Buffer.from(await answer.arrayBuffer())
}

describe.skipIf(missing('openssl', 'python3'))('the profile for Apple', () => {
  test('is signed with what the listener shows, and a property list inside', async () => {
    const signed = await download(await started(), '?login=alice')
    const profile = await profileOf(await verified(signed))
    expect(profile).toMatchInlineSnapshot(`
      {
        "PayloadContent": [
          {
            "EmailAccountDescription": "Example & Sons",
            "EmailAccountType": "EmailTypeIMAP",
            "EmailAddress": "alice@example.org",
            "IncomingMailServerAuthentication": "EmailAuthPassword",
            "IncomingMailServerHostName": "imap.example.org",
            "IncomingMailServerPortNumber": 993,
            "IncomingMailServerUseSSL": true,
            "IncomingMailServerUsername": "alice@example.org",
            "OutgoingMailServerAuthentication": "EmailAuthPassword",
            "OutgoingMailServerHostName": "relay.example.org",
            "OutgoingMailServerPortNumber": 465,
            "OutgoingMailServerUseSSL": true,
            "OutgoingMailServerUsername": "alice",
            "OutgoingPasswordSameAsIncomingPassword": false,
            "PayloadDisplayName": "Example & Sons",
            "PayloadIdentifier": "org.example.relay.mail.account",
            "PayloadType": "com.apple.mail.managed",
            "PayloadUUID": "4CEFFA2A-E29B-8F04-971D-500D0DC6C3CC",
            "PayloadVersion": 1,
          },
        ],
        "PayloadDisplayName": "Mail of Example & Sons",
        "PayloadIdentifier": "org.example.relay.mail",
        "PayloadOrganization": "Example & Sons",
        "PayloadType": "Configuration",
        "PayloadUUID": "F792F7D8-F944-8470-A150-A3986E2E09C5",
        "PayloadVersion": 1,
      }
    `)
    // One octet of the content changed: nobody may take it.
    signed[signed.indexOf('relay.example.org')] = 0x52
    await expect(verified(signed)).rejects.toThrow()
  })

  test('is signed with RSA too, the chain goes along', async () => {
    const folder = await scratchFolder()
    await run(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-keyout',
        'key.pem',
        '-out',
        'cert.pem',
        '-subj',
        '/CN=relay.example.org',
      ],
      { cwd: folder },
    )
    const certificate = await readFile(join(folder, 'cert.pem'), 'utf8')
    const origin = await started(
      {},
      {
        certificate: certificate + pair.certificate,
        key: await readFile(join(folder, 'key.pem'), 'utf8'),
      },
    )
    const signed = await download(origin)
    expect((await verified(signed, certificate)).toString()).toContain('<!DOCTYPE plist')
    await writeFile(join(folder, 'signed'), signed)
    const { stdout } = await run(
      'openssl',
      ['pkcs7', '-inform', 'DER', '-in', 'signed', '-print_certs', '-noout'],
      { cwd: folder },
    )
    expect(stdout.match(/^subject=/gm)).toHaveLength(2)
  })

  test('asks for nothing of what was told, and is the same each time', async () => {
    const origin = await started()
    const anonymous = await profileOf(await verified(await download(origin)))
    const [account] = anonymous['PayloadContent'] as Record<string, unknown>[]
    expect(Object.keys(account ?? {})).not.toContain('EmailAddress')
    const one = await profileOf(
      await verified(await download(origin, '?login=alice%40example.org')),
    )
    const other = await profileOf(await verified(await download(origin, '?login=alice')))
    expect(other).toEqual(one)
    expect(one['PayloadUUID']).not.toBe(anonymous['PayloadUUID'])
  })
})

test('a network can have only so many profiles in a minute, and none for what is no login', async () => {
  const origin = await started()
  expect((await fetch(`${origin}/apple.mobileconfig?login=%3Cscript%3E`)).status).toBe(400)
  const answers = await Promise.all(
    Array.from({ length: 25 }, () => fetch(`${origin}/apple.mobileconfig`)),
  )
  const refused = answers.filter(({ status }) => status === 429)
  expect(refused).toHaveLength(5)
  expect(refused[0]?.headers.get('retry-after')).toBe('60')
})

test('where there are no mailboxes every program is told that there is nothing', async () => {
  const origin = await started({ incoming: [] })
  for (const path of [
    '/.well-known/autoconfig/mail/config-v1.1.xml',
    '/mail/config-v1.1.xml',
    '/autodiscover/autodiscover.json?Protocol=AutodiscoverV1',
    '/apple.mobileconfig',
  ]) {
    const answer = await fetch(origin + path)
    expect(answer.status).toBe(404)
    expect(await answer.text()).toContain('See / for how to send')
  }
  expect((await ask(origin, question('alice@example.org'))).status).toBe(404)
})
