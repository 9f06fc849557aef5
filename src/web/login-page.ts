import type { FastifyInstance } from 'fastify'

import { escaped } from '../base/html.ts'
import type { Secret } from '../base/secret.ts'
import { isToken } from './admin-access.ts'
import { endedSession, newSession } from './admin-session.ts'

/** Where a person shows the token. It needs no JavaScript. */
export function addLoginPage(app: FastifyInstance, token: Secret): void {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_, body, done) => done(null, new URLSearchParams(String(body))),
  )
  app.get('/login', (request, reply) => {
    const { to } = request.query as { readonly to?: unknown }
    return reply.type('text/html; charset=utf-8').send(loginPage(ownPath(to), ''))
  })
  app.post('/login', (request, reply) => {
    const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams()
    const to = ownPath(form.get('to'))
    if (!isToken((form.get('token') ?? '').trim(), token)) {
      const page = loginPage(to, 'This is not the token of this listener.')
      return reply.code(401).type('text/html; charset=utf-8').send(page)
    }
    return reply.header('set-cookie', newSession(token, Date.now())).redirect(to, 303)
  })
  app.post('/logout', (_, reply) =>
    reply.header('set-cookie', endedSession()).redirect('/login', 303),
  )
}

/** A path of this listener: a link must not send who logs in to somewhere else. */
function ownPath(to: unknown): string {
  return typeof to === 'string' && /^\/(?![/\\])[!-~]*$/.test(to) && to.length <= 300 ? to : '/'
}

function loginPage(to: string, problem: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>Log in to mailcanary</title>
    <link rel="icon" href="/assets/mark.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="/assets/style.css" />
  </head>
  <body>
    <header class="top">
      <p class="brand"><img src="/assets/mark.svg" alt="" width="28" height="28" /> mailcanary</p>
    </header>
    <main>
      <section class="headline" aria-labelledby="headline">
        <h1 id="headline">Log in</h1>
        <p class="lead">This page can be reached from other hosts, so it asks for the token that its operator has given it.</p>
      </section>
      <form class="card login" method="post" action="/login">
        <input type="hidden" name="to" value="${escaped(to)}" />
        <label for="token">Token</label>
        <input id="token" name="token" type="password" autocomplete="current-password" required autofocus${
          problem === '' ? '' : ' aria-describedby="problem" aria-invalid="true"'
        } />
        ${problem === '' ? '' : `<p id="problem" class="problem" role="alert">${escaped(problem)}</p>`}
        <button type="submit" class="strong">Log in</button>
        <p class="quiet small">It is the line in the file that <code>admin.token_file</code> names.</p>
      </form>
    </main>
  </body>
</html>
`
}
