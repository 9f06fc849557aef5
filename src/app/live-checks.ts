import { connect as connectPlain } from 'node:net'
import { connect as connectTls } from 'node:tls'

import { SECOND, type Clock } from '../base/clock.ts'
import type { Finding } from '../base/finding.ts'
import { isLoopbackHost } from '../base/network-range.ts'
import { codeOf, messageOf } from '../base/problem.ts'
import type { LoadedRelay } from '../config/load-relay.ts'
import { clientSettings } from './client-settings.ts'
import { directorySources } from './directory-part.ts'

/*
 * What `check --live` tries of a relay beside the looks of `observe/checks`: what needs the secrets of the configuration.
 * Nothing is changed anywhere: the directory is read, ports are connected to.
 */

/** Reads each source of logins once. */
export async function directoryFindings(
  loaded: LoadedRelay,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  return Promise.all(
    directorySources(loaded, clock).map(async source => {
      const found = (state: Finding['state'], detail: string, advice = ''): Finding => ({
        check: 'directory',
        about: source.name,
        state,
        detail,
        advice,
      })
      const reading = await source.read(undefined, signal)
      switch (reading.kind) {
        case 'failed':
          return found(
            'bad',
            `cannot be read: ${reading.cause}`,
            'See directory in relay.yaml: url, ca, bind_dn, base.',
          )
        case 'refused':
          return found(
            'bad',
            `was read and cannot be believed: ${reading.reason}`,
            'See that bind_dn may read every person and the passwords.',
          )
        case 'unchanged':
          return found('unknown', 'says nothing')
        case 'full':
        case 'incremental': {
          const all = reading.entries.length
          const able = reading.entries.filter(
            ({ barred, passwords }) => barred === undefined && passwords.length === 1,
          ).length
          const words = `${able} of ${all} can log in`
          return able === 0
            ? found('bad', words, 'See password_attribute, and that bind_dn may read it.')
            : found('good', [words, ...reading.notes].join('; '))
        }
      }
    }),
  )
}

const PORT_WITHIN = 5 * SECOND

/** Connects to every port of ours: whether it answers, by TLS with a certificate that programs believe. */
export async function portFindings(loaded: LoadedRelay): Promise<readonly Finding[]> {
  const { hostname, listen, admin } = loaded.config
  const ports = [
    ...listen.submissions.map(at => ({ ...at, what: 'submissions', tls: hostname })),
    ...listen.submission.map(at => ({ ...at, what: 'submission', tls: '' })),
    ...listen.local.map(({ address }) => ({ ...address, what: 'local', tls: '' })),
    ...webPorts(loaded),
    { ...admin.listen, what: 'admin', tls: '' },
  ]
  return Promise.all(
    ports.map(async ({ host, port, what, tls }) => {
      const found = (state: Finding['state'], detail: string, advice = ''): Finding => ({
        check: 'port',
        about: `${what} ${host.includes(':') ? `[${host}]` : host}:${port}`,
        state,
        detail,
        advice,
      })
      try {
        const trust = await tryPort(own(host), port, tls)
        return trust === ''
          ? found(
              'good',
              tls !== ''
                ? `answers with a certificate for ${tls} that programs believe`
                : 'answers',
            )
          : found(
              'doubtful',
              `answers, but programs will not believe its certificate: ${trust}`,
              'Take a certificate of a public authority, with its chain, unless every program is told to trust yours.',
            )
      } catch (error) {
        return codeOf(error) === 'ECONNREFUSED'
          ? found(
              'doubtful',
              'nothing listens there',
              'Start mailcanary; if it runs, its log says why it has not this port.',
            )
          : found(
              'bad',
              `cannot be connected to: ${messageOf(error)}`,
              'See listen in relay.yaml, and the firewall.',
            )
      }
    }),
  )
}

/** The public pages under every name by which programs look for them; plain where a proxy speaks TLS, or on loopback. */
function webPorts(
  loaded: LoadedRelay,
): readonly { host: string; port: number; what: string; tls: string }[] {
  const { web } = loaded.config
  if (web === undefined) return []
  const { hostname, domains, incoming } = clientSettings(loaded)
  if (web.proxies.length > 0 || isLoopbackHost(web.listen.host))
    return [{ ...web.listen, what: 'web', tls: '' }]
  const names =
    incoming.length === 0
      ? []
      : domains.flatMap(domain => [`autoconfig.${domain}`, `autodiscover.${domain}`])
  return [hostname, ...names].map(tls => ({ ...web.listen, what: `web as ${tls}`, tls }))
}

/** By which address this host reaches a listener of its own. */
function own(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  return host === '::' ? '::1' : host
}

/** @param servername '' for clear text @returns why its certificate is not believed, or '' */
function tryPort(host: string, port: number, servername: string): Promise<string> {
  const signal = AbortSignal.timeout(PORT_WITHIN)
  return new Promise((resolve, reject) => {
    const socket =
      servername === ''
        ? connectPlain({ host, port }, () => done(''))
        : connectTls({ host, port, servername, rejectUnauthorized: false }, () => {
            const error: unknown =
              'authorizationError' in socket ? socket.authorizationError : undefined
            done(error instanceof Error ? messageOf(error) : typeof error === 'string' ? error : '')
          })
    const done = (trust: string): void => {
      socket.destroy()
      resolve(trust)
    }
    socket.once('error', reject)
    signal.addEventListener('abort', () =>
      socket.destroy(new Error(`no answer within ${PORT_WITHIN / SECOND} s`)),
    )
  })
}
