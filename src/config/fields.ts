import { isIP } from 'node:net'

import { z } from 'zod'

import { parseDuration } from '../base/duration.ts'
import { parseRange } from '../base/network-range.ts'
import { messageOf } from '../base/problem.ts'

/*
 * Values of a configuration file. Each message says what is wrong and what to write instead, since it is all that
 * the person sees.
 */

function required(what: string): { error: (issue: { input?: unknown }) => string } {
  return {
    error: issue => (issue.input === undefined ? `is missing: ${what}` : `should be ${what}`),
  }
}

/** Says in JSON Schema what the rules of a field cannot: editors show it, and docs/configuration.md. */
function described<T extends z.ZodType>(schema: T, words: z.core.JSONSchemaMeta): T {
  return schema.meta(words)
}

/** Text that is not empty. @param what for the message: `a host name such as relay.example.org` */
export function text(what: string): z.ZodString {
  return z.string(required(what)).min(1, `should be ${what}`).describe(what)
}

/** Milliseconds, written `90s`, `30m`, `5d`. */
export function duration(range: { atLeast?: string; atMost?: string } = {}): z.ZodType<number> {
  const what = 'a duration such as 90s, 30m, 1h30m or 5d'
  const pattern = '^([0-9]+(ms|s|m|h|d))+$'
  return described(z.string(required(what)), { description: what, pattern }).transform(
    (value, context) => {
      const milliseconds = parseDuration(value)
      if (milliseconds === undefined) {
        context.addIssue({ code: 'custom', message: `should be ${what}` })
        return z.NEVER
      }
      const { atLeast, atMost } = range
      if (atLeast !== undefined && milliseconds < (parseDuration(atLeast) ?? 0)) {
        context.addIssue({ code: 'custom', message: `should be at least ${atLeast}` })
      }
      if (atMost !== undefined && milliseconds > (parseDuration(atMost) ?? Infinity)) {
        context.addIssue({ code: 'custom', message: `should be at most ${atMost}` })
      }
      return milliseconds
    },
  )
}

const SIZE_UNITS: ReadonlyMap<string, number> = new Map([
  ['KiB', 1024],
  ['MiB', 1024 ** 2],
  ['GiB', 1024 ** 3],
])

/** Octets, written `10MiB`. */
export function size(): z.ZodType<number> {
  const what = 'a size such as 512KiB or 50MiB'
  const pattern = '^[0-9]+(KiB|MiB|GiB)$'
  return described(z.string(required(what)), { description: what, pattern }).transform(
    (value, context) => {
      const match = /^(\d+)(KiB|MiB|GiB)$/.exec(value)
      if (match?.[1] !== undefined && match[2] !== undefined) {
        return Number(match[1]) * (SIZE_UNITS.get(match[2]) ?? 1)
      }
      context.addIssue({ code: 'custom', message: `should be ${what}` })
      return z.NEVER
    },
  )
}

/** Where to listen or connect. */
export interface HostPort {
  readonly host: string
  readonly port: number
}

/** `192.0.2.1:465`, `[::]:465` or `relay.example.org:465`. */
export function hostPort(): z.ZodType<HostPort> {
  const what = 'an address and a port, such as 0.0.0.0:465 or "[::]:465"'
  return described(z.string(required(what)), { description: what }).transform((value, context) => {
    const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(value)
    const host = match?.[1] ?? match?.[2]
    const port = Number(match?.[3])
    if (host === undefined || port > 65_535 || (match?.[1] !== undefined && isIP(host) !== 6)) {
      context.addIssue({ code: 'custom', message: `should be ${what}` })
      return z.NEVER
    }
    return { host, port }
  })
}

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i

/** A fully qualified domain name in A-labels, folded to lower case. */
export function hostName(what = 'a host name such as relay.example.org'): z.ZodType<string> {
  return text(what)
    .refine(
      name =>
        name.length <= 253 &&
        name.includes('.') &&
        name.split('.').every(label => LABEL.test(label)),
      `should be ${what}`,
    )
    .transform(name => name.toLowerCase())
}

/** A host to connect to: a name or an IP address. */
export function host(): z.ZodType<string> {
  const what = 'a host name or an IP address'
  return text(what).refine(
    name => isIP(name) !== 0 || name.split('.').every(label => LABEL.test(label)),
    `should be ${what}`,
  )
}

export function port(): z.ZodNumber {
  return z
    .number(required('a port number'))
    .int()
    .min(1, 'should be 1 to 65535')
    .max(65_535, 'should be 1 to 65535')
}

/** A whole number within limits. */
export function count(least: number, most: number): z.ZodNumber {
  const what = `a whole number from ${least} to ${most}`
  return z
    .number(required(what))
    .int(`should be ${what}`)
    .min(least, `should be ${what}`)
    .max(most, `should be ${what}`)
}

/** A whole number from 1, or `none`, which is `Infinity`. */
export function limit(): z.ZodType<number> {
  const what = 'a whole number from 1 to 1000000, or none'
  const anyOf = [{ type: 'integer', minimum: 1, maximum: 1_000_000 }, { const: 'none' }]
  return described(z.unknown(), { description: what, anyOf }).transform((value, context) => {
    if (value === 'none') return Infinity
    if (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 1_000_000) {
      return Number(value)
    }
    context.addIssue({ code: 'custom', message: `should be ${what}` })
    return z.NEVER
  })
}

/** A share, written `99%` or `97.5%`; 0 to 1, without its ends. */
export function share(): z.ZodType<number> {
  const what = 'a share between 0% and 100%, such as 99% or 97.5%'
  const pattern = '^[0-9]{1,2}([.][0-9]{1,3})?%$'
  return described(z.string(required(what)), { description: what, pattern }).transform(
    (value, context) => {
      const match = /^(\d{1,2}(?:\.\d{1,3})?)%$/.exec(value)
      const found = Number(match?.[1] ?? 0) / 100
      if (found > 0) return found
      context.addIssue({ code: 'custom', message: `should be ${what}` })
      return z.NEVER
    },
  )
}

/** A time server (NTP), with its port where that is another than 123; `none` is undefined. */
export function timeServer(): z.ZodType<{ host: string; port: number } | undefined> {
  const what = 'a time server such as pool.ntp.org, or none'
  return text(what).transform((value, context) => {
    if (value === 'none') return undefined
    const [, name = '', ntp = '123'] = /^([a-z0-9.-]+)(?::(\d{1,5}))?$/i.exec(value) ?? []
    if (name === '' || Number(ntp) > 65_535) {
      context.addIssue({ code: 'custom', message: `should be ${what}` })
      return z.NEVER
    }
    return { host: name, port: Number(ntp) }
  })
}

/** An IP address of either family. */
export function ipAddress(): z.ZodType<string> {
  const what = 'an IP address such as 192.0.2.10 or "2001:db8::10"'
  return text(what).refine(value => isIP(value) !== 0, `should be ${what}`)
}

/** A network: `192.0.2.0/24`, `2001:db8::/32`, or one address. */
export function network(): z.ZodType<string> {
  const what = 'a network such as 192.0.2.0/24 or "2001:db8::/32"'
  return text(what).refine(value => parseRange(value) !== undefined, `should be ${what}`)
}

/** A mail address, or `@` and a domain for all addresses of it. */
export function sender(): z.ZodType<string> {
  const what = 'an address such as root@example.org, or "@example.org" for all of a domain'
  return text(what).refine(
    value => /^[^\s@<>"]*@[^\s@<>"]+\.[^\s@<>"]+$/.test(value),
    `should be ${what}`,
  )
}

/** An address of a web service that secrets are posted to: https, or a server on this host. */
export function serviceUrl(): z.ZodType<string> {
  const what = 'an https URL such as https://login.example.net/token'
  return text(what).refine(value => {
    const url = URL.parse(value)
    if (url === null || url.username !== '' || url.password !== '') return false
    const loopback = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname)
    return url.protocol === 'https:' || (url.protocol === 'http:' && loopback)
  }, `should be ${what}`)
}

/** A day, as `2026-03-01`: milliseconds since the epoch at its beginning in UTC. */
export function day(): z.ZodType<number> {
  const what = 'a day such as 2026-03-01'
  return text(what).transform((value, context) => {
    const at = /^\d{4}-\d\d-\d\d$/.test(value) ? Date.parse(`${value}T00:00:00Z`) : Number.NaN
    // Date.parse takes February 30th for a day in March.
    if (Number.isFinite(at) && new Date(at).toISOString().startsWith(value)) return at
    context.addIssue({ code: 'custom', message: `should be ${what}` })
    return z.NEVER
  })
}

/** A regular expression, compared without case. */
export function pattern(): z.ZodType<RegExp> {
  const what = 'a regular expression'
  return text(what).transform((value, context) => {
    try {
      return new RegExp(value, 'i')
    } catch (error) {
      context.addIssue({ code: 'custom', message: `should be ${what}: ${messageOf(error)}` })
      return z.NEVER
    }
  })
}

export function flag(): z.ZodBoolean {
  return z.boolean(required('true or false'))
}

/** One of a few words. */
export function word<const T extends readonly [string, ...string[]]>(
  words: T,
): z.ZodEnum<{ [K in T[number]]: K }> {
  return z.enum(words, required(`one of ${words.join(', ')}`))
}

export function address(): z.ZodType<string> {
  const what = 'a mail address such as canary@example.org'
  return text(what).refine(
    value => /^[^\s@<>"]+@[^\s@<>"]+\.[^\s@<>"]+$/.test(value),
    `should be ${what}`,
  )
}

/** Name of an origin, seed or probe: it is a metric label and a word in commands. */
export function name(): z.ZodString {
  const what = 'a name of lower-case letters, digits and dashes'
  return text(what).regex(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/, `should be ${what}`)
}

/** An object in which every key may be left out, together with the object itself. */
export function section<T extends z.ZodRawShape>(
  shape: T,
): z.ZodPrefault<z.ZodObject<T, z.core.$strict>> {
  return z.strictObject(shape).prefault({} as never)
}
