import type { SignInWay } from '../../account/events.ts'
import { documentOf, html, NOTHING, type Html } from '../html.ts'

export interface SignInPage {
  readonly domain: string
  readonly ways: readonly SignInWay[]
  /** What was typed before, never the password. */
  readonly login?: string
  readonly way?: SignInWay
  /** Why there is no coming in, or what has just ended. */
  readonly notice?: { readonly tone: 'alert' | 'status'; readonly text: string }
}

const CHOICES: Readonly<Record<SignInWay, { readonly title: string; readonly means: string }>> = {
  directory: {
    title: 'The password of my account',
    means: 'the one of the directory: with it you can change things here',
  },
  mail: {
    title: 'My mail password',
    means: 'the one in your mail program: with it you can look, and revoke',
  },
}

/** Where somebody says who they are. */
export function signInPage(page: SignInPage): string {
  const { domain, ways, login = '', way = ways[0], notice } = page
  const wrong = notice?.tone === 'alert'
  const invalid = wrong ? html` aria-invalid="true" aria-describedby="notice"` : NOTHING
  return documentOf({
    title: `${wrong ? 'Not signed in: ' : ''}Your mail account at ${domain}`,
    brand: domain,
    styles: ['account.css'],
    main: html`<section class="headline">
        <h1>Your mail account</h1>
        <p class="lead">
          Change your mail password, see what you have sent of what you may, and what did not get
          through.
        </p>
      </section>
      <section class="narrow" aria-label="Sign in">
        ${notice === undefined ? NOTHING : noticeOf(notice)}
        <form class="card" method="post" action="/account/sign-in">
          <label
            >Login
            <input
              name="login"
              value="${login}"
              autocomplete="username"
              autocapitalize="none"
              spellcheck="false"
              maxlength="200"
              required${invalid}
            />
          </label>
          ${ways.length > 1 ? choices(ways, way) : html`<input type="hidden" name="way" value="${way ?? 'mail'}" />`}
          <label
            >${ways.length > 1 ? 'Password' : 'Mail password'}
            <input
              name="password"
              type="password"
              autocomplete="current-password"
              maxlength="512"
              required${invalid}
            />
          </label>
          <button class="main">Sign in</button>
        </form>
        <p class="quiet small">
          You are signed out after ten minutes without a click. The cookie that this takes says
          nothing about you and ends with your browser.
        </p>
      </section>`,
  })
}

/** Words that a screen reader says at once. */
export function noticeOf({ tone, text }: NonNullable<SignInPage['notice']>): Html {
  return html`<p class="notice${tone === 'status' ? ' done' : ''}" id="notice" role="${tone}">
    ${text}
  </p>`
}

function choices(ways: readonly SignInWay[], chosen: SignInWay | undefined): Html {
  const options = ways.map(way => {
    const { title, means } = CHOICES[way]
    return html`<label class="choice"
      ><input type="radio" name="way" value="${way}" ${way === chosen ? html` checked` : NOTHING} />
      <span>${title} <span class="quiet small">${means}</span></span></label
    > `
  })
  return html`<fieldset>
    <legend>I sign in with</legend>
    ${options}
  </fieldset>`
}
