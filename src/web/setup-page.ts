import { documentOf, html, NOTHING, type Html } from './html.ts'
import type { PublicRoutes } from './public-routes.ts'

/** What somebody needs to know to send mail through the relay. */
export interface SetupFacts {
  /** Name in the relay's certificate. */
  readonly hostname: string
  /** Domain of the addresses; the first of the organisation's. */
  readonly domain: string
  /** Port with TLS from the start (RFC 8314), or 0 where there is none. */
  readonly submissions: number
  /** Port with STARTTLS (RFC 6409), or 0. */
  readonly submission: number
  /** Whether people can look after their account here. */
  readonly account?: boolean
}

export function setupRoutes(facts: SetupFacts): PublicRoutes {
  const page = setupPage(facts)
  return app => {
    app.get('/', (_, reply) => reply.type('text/html; charset=utf-8').send(page))
  }
}

/** The page that tells people how to set up their mail program. It needs no JavaScript and asks for nothing. */
export function setupPage(facts: SetupFacts): string {
  const { hostname, domain, submissions, submission, account = false } = facts
  const ways = [
    ...(submissions === 0 ? [] : [way('SSL/TLS', submissions)]),
    ...(submission === 0 ? [] : [way('STARTTLS', submission)]),
  ]
  const [best = NOTHING] = ways
  return documentOf({
    title: `Sending mail through ${hostname}`,
    brand: domain,
    main: html`<section class="headline">
        <h1>Send your mail through ${hostname}</h1>
        <p class="lead">
          This server takes mail from people with a login at ${domain} and delivers it. Add it to
          your mail program as the outgoing server (SMTP); your incoming mail stays where it is.
        </p>
      </section>
      <section aria-labelledby="settings">
        <div class="title"><h2 id="settings">Settings for any mail program</h2></div>
        <div class="card">
          <table>
            <tbody>
              ${row('Outgoing server (SMTP)', hostname)} ${best}
              ${row('Authentication', 'Normal password (the program may call it PLAIN)')}
              ${row('User name', 'your login, without anything behind it')}
              ${row('Password', 'your mail password, not the one of your account')}
              ${row('Sender', `your address at ${domain}`)}
            </tbody>
          </table>
        </div>
        ${ways.length > 1 ? alternative(submission) : NOTHING}
      </section>
      ${account ? ACCOUNT : NOTHING}`,
  })
}

const ACCOUNT = html`<section aria-labelledby="account">
  <div class="title"><h2 id="account">Your account</h2></div>
  <p>
    <a href="/account">Change your mail password</a>, see what you may send and what did not get
    through.
  </p>
</section>`

function way(security: string, port: number): Html {
  return html`${row('Port', String(port))} ${row('Connection security', security)}`
}

function alternative(port: number): Html {
  return html`<p class="quiet small">
    Where that does not work: port ${port} with connection security STARTTLS.
  </p>`
}

function row(name: string, value: string): Html {
  return html`<tr>
    <th scope="row">${name}</th>
    <td>${value}</td>
  </tr>`
}
