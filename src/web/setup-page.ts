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
}

/** The page that tells people how to set up their mail program. It needs no JavaScript and asks for nothing. */
export function setupPage(facts: SetupFacts): string {
  const { hostname, domain, submissions, submission } = facts
  const ways = [
    ...(submissions === 0 ? [] : [way('SSL/TLS', submissions)]),
    ...(submission === 0 ? [] : [way('STARTTLS', submission)]),
  ]
  const [best = ''] = ways
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>Sending mail through ${escaped(hostname)}</title>
    <link rel="icon" href="/assets/mark.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="/assets/style.css" />
  </head>
  <body>
    <header class="top">
      <p class="brand"><img src="/assets/mark.svg" alt="" width="28" height="28" /> ${escaped(domain)}</p>
    </header>
    <main>
      <section class="headline">
        <h1>Send your mail through ${escaped(hostname)}</h1>
        <p class="lead">
          This server takes mail from people with a login at ${escaped(domain)} and delivers it. Add it to your mail program as
          the outgoing server (SMTP); your incoming mail stays where it is.
        </p>
      </section>
      <section aria-labelledby="settings">
        <div class="title"><h2 id="settings">Settings for any mail program</h2></div>
        <div class="card">
          <table>
            <tbody>
              ${row('Outgoing server (SMTP)', hostname)}
              ${best}
              ${row('Authentication', 'Normal password (the program may call it PLAIN)')}
              ${row('User name', 'your login, without anything behind it')}
              ${row('Password', 'your mail password, not the one of your account')}
              ${row('Sender', `your address at ${domain}`)}
            </tbody>
          </table>
        </div>
        ${ways.length > 1 ? `<p class="quiet small">Where that does not work: ${alternative(submission)}.</p>` : ''}
      </section>
    </main>
  </body>
</html>
`
}

function way(security: string, port: number): string {
  return `${row('Port', String(port))}
              ${row('Connection security', security)}`
}

function alternative(port: number): string {
  return `port ${port} with connection security STARTTLS`
}

function row(name: string, value: string): string {
  return `<tr><th scope="row">${escaped(name)}</th><td>${escaped(value)}</td></tr>`
}

/** Text for HTML, also within quoted attributes. */
export function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
}
