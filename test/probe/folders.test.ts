import { expect, test } from 'vitest'

import { type FolderEntry, MAX_OTHERS, sortFolders } from '../../src/probe/folders.ts'

function entry(path: string, flags: readonly string[] = [], specialUse?: string): FolderEntry {
  return { path, name: path.split('/').at(-1) ?? path, flags: new Set(flags), specialUse }
}

const INBOX = entry('INBOX')

test.each<readonly [string, readonly FolderEntry[], string | undefined]>([
  [
    'Gmail',
    [INBOX, entry('[Gmail]', ['\\Noselect']), entry('[Gmail]/Spam', ['\\Junk'])],
    '[Gmail]/Spam',
  ],
  [
    'Gmail in German',
    [INBOX, entry('[Gmail]/Spamverdacht', ['\\HasNoChildren', '\\Junk'])],
    '[Gmail]/Spamverdacht',
  ],
  ['Outlook', [entry('Inbox'), entry('Junk', ['\\Junk'])], 'Junk'],
  ['Yahoo of 2022', [entry('Inbox'), entry('Bulk Mail', ['\\JUNK'])], 'Bulk Mail'],
  ['Yahoo', [entry('Inbox'), entry('Bulk')], 'Bulk'],
  ['SPECIAL-USE as imapflow tells it', [INBOX, entry('Odd', [], '\\Junk')], 'Odd'],
  [
    'a name in another language',
    [INBOX, entry('INBOX/Courrier indésirable')],
    'INBOX/Courrier indésirable',
  ],
  ['a flag before a name', [INBOX, entry('Spam'), entry('Odd', ['\\Junk'])], 'Odd'],
  ['a folder that only exists as a name', [INBOX, entry('Spam', ['\\NonExistent'])], undefined],
  ['nothing at all', [INBOX, entry('Archive')], undefined],
])('the junk folder of %s', (_, entries, junk) => {
  expect(sortFolders(entries, '', []).junk).toBe(junk)
})

test('a name that the provider is known to use comes before the common ones', () => {
  const entries = [INBOX, entry('Spam'), entry('Filtered')]
  expect(sortFolders(entries, '', ['Filtered']).junk).toBe('Filtered')
  expect(sortFolders([INBOX, entry('[Gmail]/Spam')], '', ['[Gmail]/Spam']).junk).toBe(
    '[Gmail]/Spam',
  )
})

test('what is configured counts, and if it does not exist nothing is guessed', () => {
  const entries = [INBOX, entry('Spam', ['\\Junk']), entry('Mine')]
  expect(sortFolders(entries, 'Mine', []).junk).toBe('Mine')
  expect(sortFolders(entries, 'Gone', []).junk).toBeUndefined()
})

test('others are the folders in which a canary might lie', () => {
  const entries = [
    INBOX,
    entry('Junk', ['\\Junk']),
    entry('Sent', ['\\Sent']),
    entry('Drafts', ['\\Drafts']),
    entry('Starred', ['\\Flagged']),
    entry('Top', ['\\Noselect']),
    entry('All Mail', ['\\All']),
    entry('Trash', ['\\Trash']),
    entry('Newsletters'),
  ]
  expect(sortFolders(entries, '', []).others).toEqual(['All Mail', 'Trash', 'Newsletters'])
})

test('the number of folders is bounded', () => {
  const many = Array.from({ length: 1_000 }, (_, i) => entry(`folder ${i}`))
  expect(sortFolders([INBOX, ...many], '', []).others).toHaveLength(MAX_OTHERS)
})

test('INBOX is INBOX in any case', () => {
  expect(sortFolders([entry('Inbox')], '', []).inbox).toBe('Inbox')
})
