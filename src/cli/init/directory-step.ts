import { readFileSync } from 'node:fs'

import { surveyDirectory, type LdapSurvey } from '../../app/directory-survey.ts'
import { messageOf, Problem } from '../../base/problem.ts'
import type { Secret } from '../../base/secret.ts'
import { lookAtTls, type TlsLook } from '../../base/tls-look.ts'
import { isLoopback } from '../../config/loopback.ts'
import type { Host } from './host-step.ts'
import { never, WELL, type Finding, type GivenSecret, type Interview } from './interview.ts'
import { ldapDefaults } from './surroundings.ts'

/** The section `directory` of relay.yaml, without what it holds in common with others. */
export interface DirectoryAnswers {
  readonly section: Readonly<Record<string, unknown>>
  readonly secrets: readonly GivenSecret[]
}

const LDAP = /^ldaps?:\/\/[^/\s]+$/

export async function askDirectory(
  interview: Interview,
  { domains }: Pick<Host, 'domains'>,
): Promise<DirectoryAnswers> {
  const usual = ldapDefaults()
  const [domain = ''] = domains
  const source = await interview.ask({
    key: 'directory.source',
    ask: 'Directory',
    why: 'Who may send: the LDAP server as ldaps://HOST, or the full path of a file of uid:hash lines.',
    unless: usual.url ?? `ldaps://ldap.${domain}`,
    test: text => testSource(interview, text),
  })
  if (source.startsWith('/')) return { section: { export_file: { path: source } }, secrets: [] }
  const trust = await askTrust(interview, source, usual.ca)
  return askAccount(interview, { source, trust, base: usual.base ?? dnOf(domain) })
}

async function testSource(interview: Interview, text: string): Promise<Finding> {
  if (text.startsWith('/')) {
    try {
      const lines = readFileSync(text, 'utf8').split('\n')
      const logins = lines.filter(line => /^[^#\s:]+:[^:]+/.test(line)).length
      return logins > 0
        ? { ok: true, text: `${logins} lines with a login and a hash.` }
        : never(`${text} has no line with a login and a hash`)
    } catch (error) {
      return never(messageOf(error))
    }
  }
  if (!LDAP.test(text))
    return never('should be ldaps://HOST[:PORT], ldap://HOST[:PORT], or a full path')
  if (!text.startsWith('ldaps:')) return WELL
  const look = await lookAt(text, trustOf(interview))
  return look.kind === 'unreachable'
    ? { ok: false, text: `It cannot be reached: ${look.why}.` }
    : WELL
}

interface Trust {
  readonly ca: string | undefined
  readonly servername: string | undefined
}

function trustOf({ book }: Interview): Trust {
  return { ca: book.get('directory.ca'), servername: book.get('directory.server_name') }
}

function lookAt(url: string, { ca, servername }: Trust): Promise<TlsLook> {
  const { hostname, port } = new URL(url)
  return lookAtTls({
    host: hostname.replaceAll(/^\[|\]$/g, ''),
    port: port === '' ? 636 : Number(port),
    ...(ca !== undefined && { ca: readFileSync(ca, 'utf8') }),
    ...(servername !== undefined && { servername }),
  })
}

/** Asks for what TLS misses, if it misses something. */
async function askTrust(
  interview: Interview,
  url: string,
  usualCa: string | undefined,
): Promise<Trust> {
  let trust = trustOf(interview)
  if (!url.startsWith('ldaps:')) return trust
  let look = await lookAt(url, trust)
  if (look.kind === 'untrusted') {
    const why = `Its certificate is not trusted (${look.why}): the file with the certificate of its authority, PEM.`
    const ca = await interview.ask({
      key: 'directory.ca',
      ask: 'Authority of the LDAP server',
      why,
      ...(usualCa !== undefined && { unless: usualCa }),
      test: async path => {
        try {
          const again = await lookAt(url, { ...trust, ca: path })
          return again.kind === 'untrusted'
            ? { ok: false, text: `It is not trusted with that either: ${again.why}.` }
            : WELL
        } catch (error) {
          return never(messageOf(error))
        }
      },
    })
    trust = { ...trust, ca }
    look = await lookAt(url, trust)
  }
  if (look.kind === 'other-name') {
    const servername = await interview.ask({
      key: 'directory.server_name',
      ask: 'Name in its certificate',
      why: `Its certificate is for ${look.names.join(', ') || 'no name'}, not for the host of the URL: the name to look for.`,
      ...(look.names[0] !== undefined && { unless: look.names[0] }),
      test: async name =>
        (await lookAt(url, { ...trust, servername: name })).kind === 'other-name'
          ? never(`it is not for ${name} either`)
          : WELL,
    })
    trust = { ...trust, servername }
  }
  return trust
}

/** The reading account, and what it sees: the schema, the base and the attribute need not be asked for. */
async function askAccount(
  interview: Interview,
  {
    source,
    trust,
    base,
  }: { readonly source: string; readonly trust: Trust; readonly base: string },
): Promise<DirectoryAnswers> {
  const { book } = interview
  const startTls = source.startsWith('ldap:') && !isLoopback(source)
  const seen: { survey?: LdapSurvey } = {}
  let bindDn = ''
  const look = async (secret: Secret): Promise<Finding> => {
    const wished = {
      base: book.get('directory.base'),
      schema: book.get('directory.schema') as LdapSurvey['schema'] | undefined,
      passwordAttribute: book.get('directory.password_attribute'),
    }
    const answer = await surveyDirectory(
      {
        url: source,
        startTls,
        ca: trust.ca === undefined ? undefined : readFileSync(trust.ca, 'utf8'),
        servername: trust.servername,
        bindDn,
        bindPassword: secret,
      },
      Object.fromEntries(Object.entries(wished).filter(([, value]) => value !== undefined)),
    )
    if (answer.kind === 'denied') return { ok: false, text: 'The DN or its password is wrong.' }
    if (answer.kind === 'failed') return { ok: false, text: `LDAP: ${answer.why}.` }
    if (answer.kind === 'nobody') {
      return {
        ok: false,
        text: 'It may log in, but sees nobody: docs/directory.md has the access rules.',
      }
    }
    seen.survey = answer.survey
    const { schema, people, withPassword, passwordAttribute, base } = answer.survey
    const text = `${people} people below ${base} (${schema}), ${withPassword} with a ${passwordAttribute} that it may read.`
    return withPassword > 0
      ? { ok: true, text }
      : { ok: false, text: `${text}\nNobody could log in: docs/directory.md has the access rules.` }
  }
  for (;;) {
    bindDn = await interview.ask({
      key: 'directory.bind_dn',
      ask: 'Account that reads it (DN)',
      why: 'The relay reads logins and password hashes with an account of its own, and works from a copy: mail flows while LDAP is down.',
      unless: `cn=mailcanary,${base}`,
      test: text =>
        /^[a-z][\w-]*=[^,]+(?:,|$)/i.test(text)
          ? WELL
          : never('should be a DN such as cn=mailcanary,dc=example,dc=org'),
    })
    const password = await interview.secret({
      key: 'directory.bind_password',
      ask: 'Its password',
      why: 'It is kept in a file of its own that only the service may read.',
      file: 'ldap-password',
      test: look,
    })
    const { survey } = seen
    if (survey !== undefined) {
      const ldap = {
        url: source,
        ...(startTls && { starttls: true }),
        ...(trust.ca !== undefined && { ca: trust.ca }),
        ...(trust.servername !== undefined && { server_name: trust.servername }),
        bind_dn: bindDn,
        bind_password_file: password.path,
        base: survey.base,
        schema: survey.schema,
        password_attribute: survey.passwordAttribute,
      }
      return { section: { ldap }, secrets: [password] }
    }
    if (!interview.isAttended) throw new Problem('the directory could not be read')
    interview.say(
      '    Without having seen the directory there is no way on: the account once more.',
    )
  }
}

function dnOf(domain: string): string {
  return domain
    .split('.')
    .map(label => `dc=${label}`)
    .join(',')
}
