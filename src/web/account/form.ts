import type { FastifyInstance } from 'fastify'

import type { Session } from '../../account/sessions.ts'
import { html, type Html } from '../html.ts'

/** Octets of a form: the longest passwords three times over, and what a browser makes of them. */
export const LONGEST_FORM = 8_192

/** Reads what browsers send for a form without files: application/x-www-form-urlencoded, and nothing else. */
export function acceptForms(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: LONGEST_FORM },
    (_, body, done) => done(null, new URLSearchParams(String(body))),
  )
}

/** A field of a form, '' where it was not filled in. */
export function field(body: unknown, name: string): string {
  return body instanceof URLSearchParams ? (body.get(name) ?? '') : ''
}

/** What every form of somebody who is signed in has to bring along. */
export function tokenField({ formToken }: Session): Html {
  return html`<input type="hidden" name="form_token" value="${formToken}" />`
}
