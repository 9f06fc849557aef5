import { readFileSync } from 'node:fs'

import { expect, test } from 'vitest'

import type { ClientSettings } from '../../../src/mail/client-settings.ts'
import { instructionsOf, readInstructions, withOwn } from '../../../src/web/setup/instructions.ts'
import { setupPage } from '../../../src/web/setup/setup-page.ts'
import { clientSettingsOf } from '../../support/client-settings.ts'

const DOCUMENT = readInstructions()
const TEXTS = instructionsOf(DOCUMENT)

function page(
  changes: Partial<ClientSettings> = {},
  wishes: { readonly program?: string; readonly login?: string } = {},
): string {
  return setupPage(clientSettingsOf({ incoming: [], ...changes }), TEXTS, {
    program: '',
    login: '',
    ...wishes,
  })
}

/** What stands in the link to a program. */
function slugOf(heading: string): string {
  return heading
    .replace('A host that relays: ', '')
    .replace('With an SSH key', 'SSH key')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
}

/** What a reader of the markup sees, in one line. */
function textOf(markup: string): string {
  return markup
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replaceAll(/\s+/g, ' ')
}

test('it says what docs/clients.md says, each program and each line of it', () => {
  expect(DOCUMENT).toBe(readFileSync('docs/clients.md', 'utf8'))
  const examples = {
    hostname: 'mx.test',
    login: 'zoe',
    domain: 'zoe.test',
    submissions: 1,
    submission: 2,
  }
  const { programs } = TEXTS
  expect(programs.map(({ heading }) => heading)).toEqual(
    [...DOCUMENT.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading).slice(3),
  )
  for (const section of programs) {
    const { heading, blocks } = withOwn(section, examples)
    const program = slugOf(heading)
    const shown = textOf(
      page(
        {
          hostname: 'mx.test',
          domains: ['zoe.test'],
          submissions: 1,
          submission: 2,
          incoming: clientSettingsOf().incoming,
        },
        { program, login: 'zoe' },
      ),
    )
    for (const block of blocks) {
      const lines =
        block.kind === 'code' || block.kind === 'paragraph'
          ? block.text.split(/^# [~/]\S+$/m)
          : block.kind === 'list'
            ? block.items
            : block.rows.flat()
      for (const line of lines) {
        const plain =
          block.kind === 'code'
            ? line
            : line.replaceAll(/`|\*\*|(?<!\w)\*(?=\w)|(?<=\w)\*(?!\w)/g, '')
        expect(shown).toContain(plain.replaceAll(/\s+/g, ' ').trim())
      }
    }
  }
})

test('nothing of the examples is left where the organisation has names of its own', () => {
  const own = {
    hostname: 'mx.test',
    domains: ['zoe.test'] as const,
    submissions: 1465,
    submission: 1587,
  }
  for (const [, heading = ''] of DOCUMENT.matchAll(/^## (.+)$/gm)) {
    const program = slugOf(heading)
    expect(page(own, { program })).not.toMatch(/example\\?\.org|\balice\b|\b465\b|\b587\b/)
  }
})

test('the login is put in, also where it was typed as an address', () => {
  for (const login of ['carol', ' Carol@Lists.Example.org ']) {
    const text = page({}, { program: 'msmtp', login })
    expect(text).toContain('\nuser carol\n')
    expect(text).toContain('\nfrom carol@example.org\n')
    expect(text).toContain('href="/?program=mutt&#38;login=carol#program"')
  }
  expect(page({}, { program: 'msmtp' })).toContain('\nuser your-login\n')
})

test('what can be nobody is said to be so, and cannot become markup', () => {
  const text = page({}, { program: 'msmtp', login: '"><script>alert(1)</script>' })
  expect(text).toContain('aria-invalid="true"')
  expect(text).toContain('neither a login nor an address of example.org')
  expect(text).not.toContain('<script>alert')
  expect(page({ domains: ['"><script>alert(1)</script>'] })).not.toContain('<script>alert')
})

test('a relay with one port names that one', () => {
  const starttls = textOf(page({ submissions: 0 }, { program: 'msmtp' }))
  expect(starttls).toContain('Port 587 Connection security STARTTLS Authentication')
  // Their settings are for the port that there is not.
  expect(starttls).not.toContain('tls_starttls off')
  const implicit = textOf(page({ submission: 0 }))
  expect(implicit).toContain(
    'Port 465 Connection security SSL/TLS (from the first octet) Authentication',
  )
})

test('that a program sets itself up is said where it does, and a profile given to Apple alone', () => {
  const { incoming } = clientSettingsOf()
  const apple = page({ incoming }, { program: 'apple-mail', login: 'alice' })
  expect(apple).toContain('By itself.')
  expect(apple).toContain('href="/apple.mobileconfig?login=alice"')
  expect(page({ incoming }, { program: 'thunderbird' })).not.toContain('mobileconfig')
  expect(page({}, { program: 'apple-mail' })).not.toMatch(/By itself|mobileconfig/)
})

test('it leads to the account page where there is one, and nowhere else', () => {
  expect(page({ account: true })).toContain('<a href="/account">')
  expect(page({}, { program: 'msmtp' })).not.toContain('/account')
})

test('keys are for where they are taken, and how to set that up for nobody', () => {
  expect(page({}, { program: 'ssh-key' })).toContain('HostName relay.example.org')
  expect(page({}, { program: 'ssh-key' })).not.toContain('useradd')
  expect(page({ ssh: false }, { program: 'ssh-key' })).not.toContain('SSH key')
  expect(page({ submissions: 0 }, { program: 'ssh-key' })).toContain('HostName relay.example.org')
})

test('a program that is none is no fault', () => {
  expect(page({}, { program: '../../etc/passwd' })).toBe(page())
})
