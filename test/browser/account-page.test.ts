import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'

import { createTransport } from 'nodemailer'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { openPage, startChromium } from '../support/chromium.ts'
import { ssha } from '../support/password.ts'
import { freePort } from '../support/ports.ts'
import { makeScratch } from '../support/scratch.ts'
import { ScriptedSmtp } from '../support/scripted-smtp.ts'
import { eventually, missing } from '../support/server-process.ts'
import { RELAY_NAME, Site } from '../support/site.ts'
import { startSlapd, type Slapd } from '../support/slapd.ts'
import { faintTexts, widthOf } from './in-page.ts'

/*
 * One relay, one slapd with the access rules of a real one (owners write mailPassword, nobody else does), one browser. What
 * is changed here is tried by sending mail; at the end the log, the metrics and the process list are searched for all of it.
 */
const DIRECTORY_PASSWORD = 'correct horse battery staple'
const OLD_MAIL_PASSWORD = 'old-mail-password-of-alice'
const OWN_CHOICE = 'a password of her own choice'
const WRONG = 'nobody-has-this-password'
/** Whatever must be found nowhere. */
const secrets = new Set([DIRECTORY_PASSWORD, OLD_MAIL_PASSWORD, OWN_CHOICE, WRONG, '$6$'])

describe.skipIf(missing('slapd', 'slapadd', 'ldapmodify', 'chromium'))('the account page', () => {
  let folder: string
  let site: Site
  let slapd: Slapd
  let next: ScriptedSmtp
  let browser: Browser
  let origin: string
  /** Her mail password of the moment. */
  let ofAlice = OLD_MAIL_PASSWORD

  beforeAll(async () => {
    folder = await makeScratch()
    site = await Site.create(folder)
    const person = { userPassword: DIRECTORY_PASSWORD, mailPassword: ssha(OLD_MAIL_PASSWORD) }
    slapd = await startSlapd({
      people: [
        { uid: 'alice', ...person },
        { uid: 'bob', userPassword: DIRECTORY_PASSWORD },
        { uid: 'carol', ...person },
        { uid: 'locked', ...person, attributes: { shadowExpire: '1' } },
      ],
    })
    next = await ScriptedSmtp.start({
      deeds: { RCPT: ['550 5.1.1 <bob@example.net>: no such user', '250 2.1.5 OK'] },
    })
    const port = await freePort()
    origin = `http://127.0.0.1:${port}`
    await site.configure({
      directory: [
        'domains: [example.org]',
        'sync_every: 1d',
        'ldap:',
        `  url: ${slapd.ldapsUrl}`,
        `  ca: ${await site.secret('ldap-ca', slapd.ca)}`,
        '  server_name: ldap.test',
        `  bind_dn: ${slapd.bindDn}`,
        `  bind_password_file: ${await site.secret('ldap-password', slapd.bindPassword)}`,
        `  base: ${slapd.peopleDn}`,
        '  timeout: 1s',
      ]
        .map(line => `  ${line}`)
        .join('\n'),
      delivery: `  smarthost: {host: 127.0.0.1, port: ${next.port}, tls: none}`,
      limits: '  per_login: {messages_per_hour: 3}',
      web: `  listen: "127.0.0.1:${port}"\n  account: {application_passwords: true}`,
    })
    await site.start()
    // Ready is about mail; the public pages come last.
    await eventually(() => fetch(origin).catch(() => undefined), 'the public pages')
    browser = await startChromium()
  })
  afterEach(() => Promise.all(browser.contexts().map(context => context.close())))
  afterAll(async () => {
    await browser.close()
    await site.stop()
    await next.stop()
    await slapd.stop()
    await rm(folder, { recursive: true, force: true })
  })

  async function open(
    options: { width?: number; colours?: 'light' | 'dark' } = {},
  ): ReturnType<typeof openPage> {
    return openPage(browser, { url: `${origin}/account`, width: 1280, ...options })
  }

  async function signIn(
    page: Page,
    login: string,
    password = DIRECTORY_PASSWORD,
    way = 'The password of my account',
  ): Promise<void> {
    await page.getByLabel('Login').fill(login)
    await page.getByLabel(way).check()
    await page.getByLabel('Password', { exact: true }).fill(password)
    await page.getByRole('button', { name: 'Sign in' }).click()
  }

  async function signedIn(login: string, ...how: Parameters<typeof open>): Promise<Page> {
    const { page } = await open(...how)
    await signIn(page, login)
    await page.getByRole('heading', { level: 1, name: login }).waitFor()
    return page
  }

  async function change(page: Page, directoryPassword: string, own?: string): Promise<void> {
    await page.getByText('Change it', { exact: true }).click()
    if (own !== undefined) {
      await page.getByLabel('I choose it').check()
      await page.getByLabel('New mail password', { exact: true }).fill(own)
      await page.getByLabel('The same again').fill(own)
    }
    await page.getByLabel('Password of your account in the directory').fill(directoryPassword)
    await page.getByRole('button', { name: 'Change the mail password' }).click()
  }

  async function secretOf(page: Page): Promise<string> {
    const secret = (await page.textContent('.secret')) ?? ''
    secrets.add(secret)
    return secret
  }

  /** What a mail program is told. */
  async function send(
    login: string,
    password: string,
    from = `${login}@example.org`,
  ): Promise<string> {
    const transport = createTransport({
      host: '127.0.0.1',
      port: site.ports.submissions,
      secure: true,
      auth: { user: login, pass: password },
      tls: { ca: site.certificates.caPem, servername: RELAY_NAME },
    })
    const mail = { from, to: 'bob@example.net', subject: 'hello', text: 'hello' }
    try {
      return (await transport.sendMail(mail)).response
    } catch (error) {
      return String(error)
    } finally {
      transport.close()
    }
  }

  const notice = async (page: Page): Promise<string> =>
    ((await page.textContent('#notice')) ?? '').trim()
  const picture = (page: Page, name: string): Promise<unknown> =>
    page.screenshot({ path: join('test-output', `account-${name}.png`), fullPage: true })

  it.each([
    [1280, 'light'],
    [1280, 'dark'],
    [375, 'light'],
    [375, 'dark'],
  ] as const)('can be read at %i pixels in %s colours', async (width, colours) => {
    const { page, complaints } = await open({ width, colours })
    await picture(page, `sign-in-${width}-${colours}`)
    expect(await faintTexts(page)).toEqual([])
    expect(await widthOf(page)).toBe(width)
    await signIn(page, 'carol')
    await page.getByText('Change it', { exact: true }).click()
    await page.getByLabel('I choose it').check()
    await picture(page, `carol-${width}-${colours}`)
    expect(await faintTexts(page)).toEqual([])
    expect(await widthOf(page)).toBe(width)
    expect(complaints).toEqual([])
  })

  it('keeps who is signed in by a cookie that no script and no other site gets', async () => {
    const page = await signedIn('carol')
    expect(await page.context().cookies()).toMatchObject([
      { name: 'mailcanary-account', httpOnly: true, sameSite: 'Strict', path: '/', expires: -1 },
    ])
    await page.getByRole('button', { name: 'Sign out' }).click()
    expect(await notice(page)).toBe('You are signed out.')
    expect(await page.context().cookies()).toEqual([])
    await page.goto(`${origin}/account`)
    expect(await page.isVisible('input[name=password]')).toBe(true)
  })

  it('says of everybody with a wrong password the same', async () => {
    const { page } = await open()
    await signIn(page, 'alice', WRONG)
    expect(await notice(page)).toBe('Login or password is wrong.')
    expect(await page.getByLabel('Login').inputValue()).toBe('alice')
    expect(await page.getByLabel('Password', { exact: true }).inputValue()).toBe('')
    const logins = ['alice', 'nobody', 'locked', 'admin', '*', 'uid=alice', 'alice)(uid=*', '<b>']
    const answers = await Promise.all(
      ['directory', 'mail'].flatMap(way =>
        logins.map(async login => {
          const form = { login, way, password: WRONG }
          const { status, text } = await post(page.context(), 'sign-in', form)
          expect(text).toContain('Login or password is wrong.')
          return `${status} ${text.replace(/name="login"[^>]* value="[^"]*"|value="[^"]*"/, '').replaceAll(' checked', '')}`
        }),
      ),
    )
    expect(new Set(answers).size).toBe(1)
    expect(answers[0]).toMatch(/^403 /)
  })

  it('tells whom the password belongs to why there is no coming in', async () => {
    const { page } = await open()
    await signIn(page, 'locked')
    expect(await notice(page)).toMatch(/password is right, but your account has expired/)
  })

  it('writes a new password as its owner; mail goes with it, and not with the old one', async () => {
    expect(await send('alice', OLD_MAIL_PASSWORD)).toMatch(/^250 /)
    const page = await signedIn('alice')
    await change(page, DIRECTORY_PASSWORD)
    const made = await secretOf(page)
    ofAlice = made
    expect(made).toMatch(/^([0-9a-hjkmnp-tv-z]{4}-){4}[0-9a-hjkmnp-tv-z]{4}$/)
    expect(await page.textContent('section:has(#password)')).toMatch(
      /arrived.*Your password of \d\d:\d\d has arrived: this server has used it since/s,
    )
    await picture(page, 'made')
    expect(await send('alice', OLD_MAIL_PASSWORD)).toMatch(/535/)
    expect(await send('alice', made)).toMatch(/^250 /)
    // Shown once.
    await page.goto(`${origin}/account`)
    expect(await page.content()).not.toContain(made)
  })

  it('takes a password of her own, and gives one to who has none', async () => {
    const page = await signedIn('bob')
    expect(await page.textContent('section:has(#password)')).toMatch(
      /You have no mail password yet/,
    )
    await change(page, DIRECTORY_PASSWORD, OWN_CHOICE)
    expect(await page.textContent('section:has(#password)')).toMatch(/has arrived/)
    expect(await send('bob', OWN_CHOICE)).toMatch(/^250 /)
  })

  it('takes none that would not do', async () => {
    const page = await signedIn('bob')
    await change(page, DIRECTORY_PASSWORD, 'short')
    expect(await notice(page)).toMatch(/too short: it takes 12 characters.*Nothing was changed/)
    expect(await send('bob', OWN_CHOICE)).toMatch(/^250 /)
  })

  it('changes nothing for who does not know the password of the directory', async () => {
    const page = await signedIn('bob')
    await change(page, WRONG)
    expect(await notice(page)).toBe('The password of your account is wrong. Nothing was changed.')
    expect(await send('bob', OWN_CHOICE)).toMatch(/^250 /)
  })

  it('lets who signs in with the mail password look, and change nothing', async () => {
    const { page } = await open()
    await signIn(page, 'bob', OWN_CHOICE, 'My mail password')
    await page.getByRole('heading', { level: 1, name: 'bob' }).waitFor()
    expect(await page.getByText('Change it', { exact: true }).count()).toBe(0)
    expect(await page.getByText('Make a password').count()).toBe(0)
    // Nor with forms that this page did not offer.
    const token = await page.inputValue('input[name=form_token] >> nth=0')
    for (const [path, fields] of [
      ['password', { choice: 'make', directory_password: DIRECTORY_PASSWORD }],
      ['application-passwords', { name: 'thief' }],
    ] as const) {
      const answer = await post(page.context(), path, { ...fields, form_token: token })
      expect(answer.status).toBe(403)
      expect(answer.text).not.toContain('class="secret"')
    }
    expect(await send('bob', OWN_CHOICE)).toMatch(/^250 /)
  })

  async function post(
    context: BrowserContext,
    path: string,
    form: Record<string, string>,
    headers: Record<string, string> = { origin },
  ): Promise<{ readonly status: number; readonly text: string }> {
    const answer = await context.request.post(`${origin}/account/${path}`, { form, headers })
    return { status: answer.status(), text: await answer.text() }
  }

  it('takes no form of another site, and none without its token', async () => {
    const page = await signedIn('carol')
    const token = await page.inputValue('input[name=form_token] >> nth=0')
    const wanted = { choice: 'make', directory_password: DIRECTORY_PASSWORD }
    const forged: readonly [Record<string, string>, Record<string, string>][] = [
      [wanted, { origin }],
      [{ ...wanted, form_token: `${token.slice(1)}x` }, { origin }],
      [{ ...wanted, form_token: token }, { origin: 'https://example.net' }],
      [{ ...wanted, form_token: token }, { origin: 'null' }],
      [
        { ...wanted, form_token: token },
        { origin, 'sec-fetch-site': 'cross-site' },
      ],
      [
        { ...wanted, form_token: token },
        { origin, 'sec-fetch-site': 'same-site' },
      ],
      [{ ...wanted, form_token: token }, {}],
    ]
    for (const [form, headers] of forged) {
      const answer = await post(page.context(), 'password', form, headers)
      expect(answer.status).toBe(403)
      expect(answer.text).toContain('not from this page')
    }
    expect(await send('carol', OLD_MAIL_PASSWORD)).toMatch(/^250 /)
  })

  it('makes passwords for single programs: shown once, used, and revoked one by one', async () => {
    const page = await signedIn('bob')
    const made: string[] = []
    for (const name of ['laptop', '<b>backup</b>']) {
      await page.getByLabel('Name of the program').fill(name)
      await page.getByRole('button', { name: 'Make a password' }).click()
      made.push(await secretOf(page))
    }
    await picture(page, 'programs')
    const [laptop = '', backup = ''] = made
    expect(laptop).toMatch(/^mc-([0-9a-hjkmnp-tv-z]{4}-){5}[0-9a-hjkmnp-tv-z]{4}$/)
    expect(await send('bob', laptop)).toMatch(/^250 /)
    expect(await send('bob', backup.toUpperCase().replaceAll('-', ''))).toMatch(/^250 /)
    expect(await send('carol', laptop)).toMatch(/535/)
    await page.goto(`${origin}/account`)
    expect(await page.content()).not.toContain(laptop)
    expect(await page.locator('#programs b').count()).toBe(0)
    await eventually(async () => {
      await page.reload()
      return (await page.getByText('within the hour').count()) === 2
    }, 'both were used')
    await page.getByRole('button', { name: 'Revoke laptop' }).click()
    expect(await notice(page)).toMatch(/Revoked/)
    expect(await send('bob', laptop)).toMatch(/535/)
    expect(await send('bob', backup)).toMatch(/^250 /)
  })

  it('shows what was sent of what may be, what is kept back and what was refused, in words', async () => {
    for (const answer of [/^250 /, /^250 /]) expect(await send('alice', ofAlice)).toMatch(answer)
    expect(await send('alice', ofAlice, 'carol@example.org')).toMatch(/550/)
    const page = await signedIn('alice', { width: 375 })
    await picture(page, 'alice-375-light')
    const text = (await page.textContent('main')) ?? ''
    expect(text).toMatch(/messages an hour\s*4 of 3/)
    expect(text).toContain('1 kept back, over the limit of 3 messages an hour')
    expect(text).toMatch(/The sender was not one of your addresses.*this server: 550 5\.7\.1/s)
    expect(text).toMatch(/to bob@example\.net/)
    expect(text).toContain('The mailbox does not exist or takes no mail.')
    expect(text).toContain('550 5.1.1 <bob@example.net>: no such user')
  })

  it('says "cannot now" while the directory is stopped or hangs, and never "wrong"', async () => {
    const page = await signedIn('alice')
    for (const [stop, password] of [
      ['down', WRONG],
      ['SIGSTOP', DIRECTORY_PASSWORD],
    ] as const) {
      if (stop === 'down') await slapd.down()
      else await slapd.freeze()
      const { page: other } = await open()
      await signIn(other, 'alice', password)
      expect(await notice(other)).toMatch(
        /could not be checked: that does not mean that it is wrong/,
      )
      await signIn(other, 'bob', OWN_CHOICE, 'My mail password')
      expect(await other.textContent('h1')).toBe('bob')
      await page.goto(`${origin}/account`)
      await change(page, DIRECTORY_PASSWORD)
      expect(await notice(page)).toMatch(/the directory does not answer.*nothing was changed/)
      await picture(page, `cannot-now-${stop}`)
      if (stop === 'down') await slapd.restart()
      else slapd.signal('SIGCONT')
    }
    await page.goto(`${origin}/account`)
    await change(page, DIRECTORY_PASSWORD)
    await secretOf(page)
    expect(await page.textContent('section:has(#password)')).toMatch(/has arrived/)
  })

  it('ends everything with the account: sessions, and passwords of programs', async () => {
    const page = await signedIn('bob')
    await page.getByLabel('Name of the program').fill('phone')
    await page.getByRole('button', { name: 'Make a password' }).click()
    const phone = await secretOf(page)
    expect(await send('bob', phone)).toMatch(/^250 /)
    slapd.modify(
      `dn: uid=bob,${slapd.peopleDn}\nchangetype: modify\nreplace: shadowExpire\nshadowExpire: 1\n`,
    )
    // Somebody asks anew: as far as this server knows, nothing has changed before that.
    const other = await signedIn('carol')
    const token = await other.inputValue('input[name=form_token] >> nth=0')
    await post(other.context(), 'look', { form_token: token })
    expect(await send('bob', phone)).toMatch(/535/)
    await page.reload()
    expect(await page.isVisible('input[name=password]')).toBe(true)
  })

  it('slows down who guesses: by login and network', async () => {
    const { page } = await open()
    const tries = Array.from({ length: 12 }, (_, i) =>
      post(page.context(), 'sign-in', { login: 'carol', way: 'mail', password: `${WRONG}${i}` }),
    )
    const statuses = (await Promise.all(tries)).map(({ status }) => status)
    expect(statuses).toContain(429)
    expect(statuses).not.toContain(303)
    await signIn(page, 'carol', `${WRONG} again`, 'My mail password')
    expect(await notice(page)).toMatch(/Too many wrong passwords from your network/)
    // The listeners for mail count the same guesses; and the password that sent mail before is no guess.
    expect(await send('carol', `${WRONG} again`)).toMatch(/421.*Too many wrong passwords/)
    await signIn(page, 'carol', OLD_MAIL_PASSWORD, 'My mail password')
    await page.getByRole('heading', { level: 1, name: 'carol' }).waitFor()
  })

  it('leaves no password and no hash in log, metrics or process list, and names nobody', async () => {
    const { said, daemon } = site
    expect(said).toContain('"event":"account-sign-in"')
    expect(said).toContain('"event":"mail-password-change"')
    expect(said).toContain('"event":"application-password"')
    expect(said).toContain('"result":"unavailable"')
    const metrics = await (await fetch(`http://127.0.0.1:${site.ports.admin}/metrics`)).text()
    expect(metrics).toContain('mailcanary_account_password_changes_total{result="changed"} 3')
    const processes = readFileSync(`/proc/${daemon?.pid}/cmdline`, 'latin1')
    expect(processes).toContain('--relay')
    for (const secret of [...secrets, slapd.bindPassword]) {
      expect(said).not.toContain(secret)
      expect(metrics).not.toContain(secret)
      expect(processes).not.toContain(secret)
    }
    expect(said).not.toMatch(/alice|bob|carol/)
    expect(metrics).not.toMatch(/alice|bob|carol/)
  })
})
