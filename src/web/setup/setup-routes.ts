import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import type { CertificatePair } from '../../base/certificate.ts'
import type { Clock } from '../../base/clock.ts'
import { signedData } from '../../base/signed-data.ts'
import { loginFrom, type ClientSettings } from '../../mail/client-settings.ts'
import { networkOf } from '../../relay/submission/network.ts'
import type { PublicRoutes } from '../public-routes.ts'
import { Allowance } from './allowance.ts'
import { AUTOCONFIG_PATHS, autoconfig } from './autoconfig.ts'
import { autodiscover, autodiscoverJson } from './autodiscover.ts'
import { mobileconfig } from './mobileconfig.ts'

export interface SetupRoutesOptions {
  readonly facts: ClientSettings
  /** What profiles are signed with: what the listeners show now. */
  readonly identity: () => CertificatePair
  readonly clock: Clock
}

// Outlook's question takes 400 octets.
const LONGEST_QUESTION = 4_096
/** Signatures cost; who sets up a household's telephones asks for a few. */
const PROFILES_A_MINUTE = 20

const POX = [
  '/autodiscover/autodiscover.xml',
  '/Autodiscover/Autodiscover.xml',
  '/AutoDiscover/AutoDiscover.xml',
]
const JSON_V2 = [
  '/autodiscover/autodiscover.json',
  '/Autodiscover/Autodiscover.json',
  '/autodiscover/autodiscover.json/v1.0/:address',
]
const XML = 'text/xml; charset=utf-8'

/** What mail programs ask for to set themselves up. The same for everybody who asks, but for what they told themselves. */
export function setupRoutes(options: SetupRoutesOptions): PublicRoutes {
  return app => {
    app.removeAllContentTypeParsers()
    const parser = { parseAs: 'string', bodyLimit: LONGEST_QUESTION } as const
    app.addContentTypeParser('*', parser, (_, body, done) => done(null, body))
    if (options.facts.incoming.length > 0) addDocuments(app, options)
    else addRefusals(app)
  }
}

function addDocuments(app: FastifyInstance, options: SetupRoutesOptions): void {
  const { facts, clock } = options
  const allowance = new Allowance(PROFILES_A_MINUTE, clock)
  const document = autoconfig(facts)
  for (const path of AUTOCONFIG_PATHS) {
    app.get(path, (_, reply) => reply.type(XML).send(document))
  }
  for (const path of POX) {
    app.post(path, { bodyLimit: LONGEST_QUESTION }, ({ body }, reply) => {
      const asked = typeof body === 'string' ? body : ''
      const answer = autodiscover(facts, asked, new Date(clock()))
      return reply.type(XML).header('cache-control', 'no-store').send(answer)
    })
  }
  for (const path of JSON_V2) {
    app.get(path, (request, reply) => {
      const url = `${originOf(request, facts)}/autodiscover/autodiscover.xml`
      const { status, body } = autodiscoverJson(parameter(request, 'protocol'), url)
      return reply.code(status).header('cache-control', 'no-store').send(body)
    })
  }
  app.get('/apple.mobileconfig', (request, reply) => profile(request, reply, options, allowance))
}

function addRefusals(app: FastifyInstance): void {
  for (const path of [...AUTOCONFIG_PATHS, ...JSON_V2, '/apple.mobileconfig']) {
    app.get(path, noMailbox)
  }
  for (const path of POX) app.post(path, noMailbox)
}

function profile(
  request: FastifyRequest,
  reply: FastifyReply,
  { facts, identity, clock }: SetupRoutesOptions,
  allowance: Allowance,
): FastifyReply {
  const typed = parameter(request, 'login') ?? ''
  const login = typed === '' ? undefined : loginFrom(typed, facts)
  if (typed !== '' && login === undefined) {
    return plain(reply, 400, 'That is neither a login nor an address of this server.')
  }
  if (!allowance.take(networkOf(request.ip))) {
    return plain(reply.header('retry-after', 60), 429, 'Too many at once; try again in a minute.')
  }
  const text = Buffer.from(mobileconfig(facts, login))
  return reply
    .type('application/x-apple-aspen-config')
    .header('content-disposition', `attachment; filename="${facts.hostname}.mobileconfig"`)
    .header('cache-control', 'no-store')
    .send(signedData(text, identity(), new Date(clock())) ?? text)
}

function noMailbox(_: FastifyRequest, reply: FastifyReply): FastifyReply {
  return plain(
    reply,
    404,
    'There are no mailboxes here, so no program can set up an account by itself. See / for how to send from the one you have.',
  )
}

function plain(reply: FastifyReply, status: number, sentence: string): FastifyReply {
  return reply.code(status).type('text/plain; charset=utf-8').send(`${sentence}\n`)
}

/** A parameter of the question, whatever its case: Outlook writes `Protocol`, others `protocol`. */
function parameter({ query }: FastifyRequest, name: string): string | undefined {
  const found = Object.entries(query as Record<string, unknown>).find(
    ([key]) => key.toLowerCase() === name,
  )?.[1]
  return typeof found === 'string' ? found : undefined
}

/** Where we were asked, if by a name of ours: what is not may be anybody's. */
function originOf({ protocol, host, hostname }: FastifyRequest, facts: ClientSettings): string {
  const { hostname: own, domains } = facts
  const names = [own, ...domains.flatMap(domain => [domain, `autodiscover.${domain}`])]
  return names.includes(hostname.toLowerCase())
    ? `${protocol}://${host.toLowerCase()}`
    : `https://${own}`
}
