import { loginFrom, outgoingWays, type ClientSettings } from '../../mail/client-settings.ts'
import { xml, type Html } from '../html.ts'

/*
 * Autodiscover as Outlook asks for it: plain old XML ([MS-OXDSCLI]), and before it a question in JSON where that is
 * ([MS-OXDSCLI] section 3.2.6 names it; Outlook of 2016 and later begins with it).
 */

const NAMESPACE = 'http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006'
const OUTLOOK = 'http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a'
const ENCRYPTION = { implicit: 'SSL', starttls: 'TLS' } as const

/**
 * The answer to a POST of the address.
 *
 * @param request its XML; only the address and the wanted schema are read from it
 * @param now for the answer that there is none
 */
export function autodiscover(facts: ClientSettings, request: string, now: Date): string {
  const wanted = element(request, 'AcceptableResponseSchema')
  if (wanted !== undefined && wanted !== OUTLOOK)
    return refusal(now, 601, 'Provider is not available')
  const login = loginFrom(element(request, 'EMailAddress') ?? '', facts)
  if (login === undefined) return refusal(now, 500, 'The email address cannot be found.')
  const { incoming, hostname, domains } = facts
  const servers = [
    ...incoming.map(({ type, host, port, tls, username }) => ({
      type: type === 'imap' ? 'IMAP' : 'POP3',
      host,
      port,
      tls,
      name: username === 'address' ? `${login}@${addressDomain(request, domains)}` : login,
    })),
    // Outlook takes one: the best.
    ...outgoingWays(facts)
      .slice(0, 1)
      .map(({ port, tls }) => ({ type: 'SMTP', host: hostname, port, tls, name: login })),
  ]
  return documentOf(xml`<Response xmlns="${OUTLOOK}">
    <Account>
      <AccountType>email</AccountType>
      <Action>settings</Action>
${servers.map(protocol)}    </Account>
  </Response>`)
}

/** The answer to a GET of `autodiscover.json`: where the XML is. */
export function autodiscoverJson(
  protocol: string | undefined,
  url: string,
): { readonly status: 200 | 400; readonly body: Readonly<Record<string, string>> } {
  const known = ['autodiscoverv1']
  if (protocol === undefined || protocol === '') {
    return {
      status: 400,
      body: {
        ErrorCode: 'MandatoryParameterMissing',
        ErrorMessage: "A valid value must be provided for the query parameter 'Protocol'",
      },
    }
  }
  return known.includes(protocol.toLowerCase())
    ? { status: 200, body: { Protocol: 'AutodiscoverV1', Url: url } }
    : {
        status: 400,
        body: {
          ErrorCode: 'InvalidProtocol',
          ErrorMessage:
            "The given protocol value is invalid. Supported values are 'AutodiscoverV1'",
        },
      }
}

function protocol(server: {
  readonly type: string
  readonly host: string
  readonly port: number
  readonly tls: 'implicit' | 'starttls'
  readonly name: string
}): Html {
  const { type, host, port, tls, name } = server
  const smtp = xml`        <UsePOPAuth>off</UsePOPAuth>
        <SMTPLast>off</SMTPLast>
`
  return xml`      <Protocol>
        <Type>${type}</Type>
        <Server>${host}</Server>
        <Port>${port}</Port>
        <LoginName>${name}</LoginName>
        <DomainRequired>off</DomainRequired>
        <SPA>off</SPA>
        <SSL>on</SSL>
        <Encryption>${ENCRYPTION[tls]}</Encryption>
        <AuthRequired>on</AuthRequired>
${type === 'SMTP' ? smtp : ''}      </Protocol>
`
}

function refusal(now: Date, code: 500 | 601, message: string): string {
  return documentOf(xml`<Response>
    <Error Time="${now.toISOString().slice(11, 19)}" Id="0">
      <ErrorCode>${code}</ErrorCode>
      <Message>${message}</Message>
      <DebugData />
    </Error>
  </Response>`)
}

function documentOf(response: Html): string {
  const document = xml`<Autodiscover xmlns="${NAMESPACE}">
  ${response}
</Autodiscover>
`
  return `<?xml version="1.0" encoding="utf-8"?>\n${document.toString()}`
}

/** The text of an element; the schema has no other of its name, and what has entities in it is no address of ours. */
function element(xml: string, name: string): string | undefined {
  return new RegExp(`<(?:[\\w-]{1,20}:)?${name}>\\s*([^<]{1,320}?)\\s*</`).exec(xml)?.[1]
}

function addressDomain(request: string, domains: ClientSettings['domains']): string {
  const asked = element(request, 'EMailAddress')?.toLowerCase().split('@')[1]
  return domains.find(domain => domain === asked) ?? domains[0]
}
