import { loginFrom, type ClientSettings } from '../../mail/client-settings.ts'
import { documentOf, html, NOTHING, type Html } from '../html.ts'
import { contentSecurity, type PublicRoutes } from '../public-routes.ts'
import { instructionsOf, readInstructions, withOwn, type Instructions } from './instructions.ts'
import { rendered, type Block, type Section } from './markdown.ts'

/** What somebody has told us: which program, and their login. Both may be anything. */
export interface Wishes {
  readonly program: string
  readonly login: string
}

// Those of Apple's programs, to which a profile can be given.
const TAKES_PROFILES = new Set(['apple-mail', 'iphone-and-ipad'])

export function setupPageRoutes(facts: ClientSettings): PublicRoutes {
  const texts = instructionsOf(readInstructions())
  const security = {
    helmet: { contentSecurityPolicy: contentSecurity({ forms: true, scripts: true }) },
  }
  return app => {
    app.get('/', security, (request, reply) => {
      const { program, login } = request.query as Record<string, unknown>
      const wishes = { program: short(program), login: short(login) }
      return reply.type('text/html; charset=utf-8').send(setupPage(facts, texts, wishes))
    })
  }
}

/** The page that tells people how to set up their program. It needs no JavaScript and demands nothing. */
export function setupPage(facts: ClientSettings, texts: Instructions, wishes: Wishes): string {
  const { hostname, domains, submissions, submission, incoming, account } = facts
  const login = wishes.login === '' ? undefined : loginFrom(wishes.login, facts)
  const examples = {
    hostname,
    domain: domains[0],
    login: login ?? 'your-login',
    submissions,
    submission,
  }
  const own = (section: Section): Section => withOwn(section, examples)
  const word = (name: string): string =>
    (texts.words.get(name) ?? name)
      .replaceAll('{host}', hostname)
      .replaceAll('{domain}', domains[0])
  const programs = programsFor(facts, texts)
  const chosen = programs.find(({ heading }) => slug(heading) === wishes.program)
  return documentOf({
    title: word('title'),
    brand: domains[0],
    styles: ['setup.css'],
    scripts: ['copy.js'],
    main: html`<section class="headline">
        <h1>${word('title')}</h1>
        <p class="lead">${word(incoming.length > 0 ? 'lead-mailbox' : 'lead')}</p>
      </section>
      ${loginForm(wishes, login, chosen, word)}
      ${programs.length === 0 ? NOTHING : choice(programs, chosen, login, word)}
      ${chosen === undefined ? NOTHING : program(own(chosen), own(texts.password), facts, login, word)}
      <section aria-labelledby="settings">
        <div class="title"><h2 id="settings">${word('any')}</h2></div>
        ${rendered(settings(own(texts.settings), facts))}
      </section>
      <section aria-labelledby="answers">
        <div class="title"><h2 id="answers">${texts.answers.heading}</h2></div>
        ${rendered(texts.answers.blocks)}
      </section>
      ${account ? accountSection(word) : NOTHING}`,
    footer: html`<div
      id="copy-words"
      hidden
      data-copy="${word('copy')}"
      data-copied="${word('copied')}"
    ></div>`,
  })
}

type Word = (name: string) => string

/** The programs that can be told something right about this server. */
function programsFor(
  { submissions, ssh }: ClientSettings,
  { programs }: Instructions,
): readonly Section[] {
  // Their settings are written for TLS from the start; without its port only the table of settings is right.
  const byPassword = submissions > 0
  return programs.filter(({ heading }) =>
    nameOf(heading).startsWith('SSH key') ? ssh : byPassword,
  )
}

function loginForm(
  wishes: Wishes,
  login: string | undefined,
  chosen: Section | undefined,
  word: Word,
): Html {
  const wrong = wishes.login !== '' && login === undefined
  return html`<form class="fill" method="get" action="/">
    ${chosen === undefined ? NOTHING : html`<input type="hidden" name="program" value="${slug(chosen.heading)}" />`}
    <label for="login">${word('login')}</label>
    <div class="line-of">
      <input
        id="login"
        name="login"
        value="${wishes.login}"
        maxlength="320"
        autocomplete="username"
        autocapitalize="none"
        spellcheck="false"
        aria-describedby="login-hint"
        ${wrong ? html`aria-invalid="true"` : NOTHING}
      />
      <button>${word('fill')}</button>
    </div>
    <p id="login-hint" class="${wrong ? 'wrong small' : 'quiet small'}">
      ${word(wrong ? 'login-wrong' : 'login-hint')}
    </p>
  </form>`
}

function choice(
  programs: readonly Section[],
  chosen: Section | undefined,
  login: string | undefined,
  word: Word,
): Html {
  const links = programs.map(({ heading }) => {
    const query = new URLSearchParams({
      program: slug(heading),
      ...(login !== undefined && { login }),
    })
    const current = heading === chosen?.heading ? html`aria-current="page"` : NOTHING
    return html`<li><a href="/?${query.toString()}#program" ${current}>${nameOf(heading)}</a></li> `
  })
  return html`<nav aria-labelledby="choose">
    <h2 id="choose">${word('choose')}</h2>
    <ul class="programs">
      ${links}
    </ul>
  </nav>`
}

function program(
  section: Section,
  password: Section,
  { incoming, hostname }: ClientSettings,
  login: string | undefined,
  word: Word,
): Html {
  const { heading } = section
  const blocks = section.blocks.filter(
    block =>
      incoming.length > 0 ||
      !(block.kind === 'paragraph' && block.text.startsWith('**By itself.**')),
  )
  const needsFile = blocks.some(
    block => block.kind === 'code' && /mail-password|netrc/.test(block.text),
  )
  const query = login === undefined ? '' : `?${new URLSearchParams({ login }).toString()}`
  const profile = html`<p>
    <a class="button" href="/apple.mobileconfig${query}" download="${hostname}.mobileconfig"
      >${word('profile')}</a
    >
  </p>`
  return html`<section id="program" class="program" aria-labelledby="program-name">
    <div class="title"><h2 id="program-name">${nameOf(heading)}</h2></div>
    <div class="card">
      ${rendered(blocks.slice(0, 1))}
      ${incoming.length > 0 && TAKES_PROFILES.has(slug(heading)) ? profile : NOTHING}
      ${rendered(blocks.slice(1))}
      ${
        needsFile
          ? html`<h3>${password.heading}</h3>
              ${rendered(password.blocks.filter(block => !isAboutAccount(block)))}`
          : NOTHING
      }
    </div>
  </section>`
}

/** The table for this server: without the rows of a port that it does not have. */
function settings(
  { blocks }: Section,
  { submissions, submission }: ClientSettings,
): readonly Block[] {
  return blocks.map(block => {
    if (block.kind !== 'table') return block
    // Of the table as docs/clients.md has it: name, port, security, the other way.
    const [server = [], port = [], security = [], other = [], ...rest] = block.rows
    const ways =
      submissions === 0
        ? [
            [port[0] ?? '', `\`${submission}\``],
            [security[0] ?? '', 'STARTTLS'],
          ]
        : [port, security, ...(submission === 0 ? [] : [other])]
    return { ...block, rows: [server, ...ways, ...rest] }
  })
}

function accountSection(word: Word): Html {
  return html`<section aria-labelledby="account">
    <div class="title"><h2 id="account">${word('account')}</h2></div>
    <p><a href="/account">${word('account-text')}</a></p>
  </section>`
}

/** The page has a section of its own for that, where there is one. */
function isAboutAccount(block: Block): boolean {
  return block.kind === 'paragraph' && block.text.includes('/account`')
}

function nameOf(heading: string): string {
  return heading.replace(/^A host that relays: /, '').replace(/^With an SSH key/, 'SSH key')
}

/** `Gmail: send mail as` is `gmail-send-mail-as` in a link. */
function slug(heading: string): string {
  return nameOf(heading)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
}

/** What was asked for, if it is a text that anybody would type. */
function short(value: unknown): string {
  return typeof value === 'string' && value.length <= 320 ? value : ''
}
