import { SHORTEST_PASSWORD } from '../../account/mail-password.ts'
import type { AccountView } from '../../account/self-service.ts'
import { documentOf, html, NOTHING, type Html } from '../html.ts'
import { tokenField } from './form.ts'
import { limitsSection, troubleSection } from './mail-sections.ts'
import { programsSection } from './programs-section.ts'
import { noticeOf, type SignInPage } from './sign-in-page.ts'
import { clockTime, directorySentence, passwordSaying } from './words.ts'

export interface AccountPage {
  readonly domain: string
  readonly view: AccountView
  readonly now: number
  readonly notice?: SignInPage['notice']
  /** Whether the form for another password lies open: what was typed there did not do. */
  readonly changing?: boolean
  /** A password that was just made, to be seen this once. */
  readonly made?: { readonly title: string; readonly secret: string }
}

/** Everything that one person sees of their account. */
export function accountPage(page: AccountPage): string {
  const { domain, view, now, notice, changing = false, made } = page
  const { session, addresses } = view
  const wrong = notice?.tone === 'alert'
  return documentOf({
    title: `${wrong ? 'Not done: ' : ''}Mail account of ${session.login}`,
    brand: domain,
    styles: ['account.css'],
    top: html`<form method="post" action="/account/sign-out">
      ${tokenField(view.session)}<button>Sign out</button>
    </form>`,
    main: html`<section class="headline">
        <h1>${session.login}</h1>
        <p class="lead">
          ${addresses.length === 0 ? 'You have no address to send from here.' : `You may send as ${addresses.join(', ')}.`}
        </p>
        ${notice === undefined ? NOTHING : noticeOf(notice)}
      </section>
      ${made === undefined ? NOTHING : madeSection(made)} ${passwordSection(view, now, changing)}
      ${view.applicationPasswords === undefined ? NOTHING : programsSection(view, now)}
      ${limitsSection(view)} ${troubleSection(view, now)}`,
    footer: html`<footer>
      <p>Times are in ${timeZone()}; now it is ${clockTime(now, now)}.</p>
    </footer>`,
  })
}

/** Of this host, since a page without JavaScript cannot know the reader's. */
function timeZone(): string {
  const { timeZone: zone } = Intl.DateTimeFormat().resolvedOptions()
  return zone === 'UTC' ? zone : `the time zone ${zone}`
}

function madeSection({ title, secret }: NonNullable<AccountPage['made']>): Html {
  return html`<section aria-labelledby="made">
    <div class="card made">
      <h2 id="made">${title}</h2>
      <p><code class="secret">${secret}</code></p>
      <p>
        Copy it into your program now. It is shown this once, and kept nowhere in a form that can be
        read.
      </p>
    </div>
  </section>`
}

function passwordSection(view: AccountView, now: number, changing: boolean): Html {
  const { tone, word, text } = passwordSaying(view, now)
  const { mayChange, change } = view.password
  const waits = change !== undefined && change.state !== 'arrived'
  return html`<section aria-labelledby="password">
    <div class="title">
      <h2 id="password">Mail password</h2>
      <span class="chip ${tone}">${word}</span>
    </div>
    <div class="card">
      <p>${text}</p>
      <p class="quiet small">${directorySentence(view, now)}</p>
      ${waits ? lookForm(view) : NOTHING}
      ${mayChange ? changeForm(view, changing) : html`<p>${whyNot(view)}</p>`}
    </div>
  </section>`
}

function whyNot({ session }: AccountView): string {
  return session.way === 'mail'
    ? 'To change it, sign in with the password of your account in the directory.'
    : 'It cannot be changed here: ask the people who run your mail.'
}

function lookForm(view: AccountView): Html {
  return html`<form method="post" action="/account/look">
    ${tokenField(view.session)}<button>Look again</button>
  </form>`
}

function changeForm(view: AccountView, changing: boolean): Html {
  const least = SHORTEST_PASSWORD
  return html`<details${changing ? html` open` : NOTHING}>
    <summary>Change it</summary>
    <form class="change" method="post" action="/account/password">
      ${tokenField(view.session)}
      <input name="user" value="${view.session.login}" autocomplete="username" hidden />
      <fieldset>
        <legend>New mail password</legend>
        <label class="choice"
          ><input type="radio" name="choice" value="make" checked />
          <span
            >Make a strong one for me
            <span class="quiet small">shown once, to be copied into your mail program</span></span
          ></label
        >
        <label class="choice"
          ><input type="radio" name="choice" value="own" />
          <span
            >I choose it
            <span class="quiet small"
              >${least} characters or more, and not the one of your account</span
            ></span
          ></label
        >
        <div class="own">
          <label
            >New mail password
            <input name="wanted" type="password" autocomplete="new-password" maxlength="512"
          /></label>
          <label
            >The same again
            <input name="again" type="password" autocomplete="new-password" maxlength="512"
          /></label>
        </div>
      </fieldset>
      <label
        >Password of your account in the directory
        <input
          name="directory_password"
          type="password"
          autocomplete="current-password"
          maxlength="512"
          required
        />
        <span class="quiet small"
          >The directory wants to see it for every change, and we do not keep it.</span
        >
      </label>
      <button class="main">Change the mail password</button>
    </form>
  </details>`
}
