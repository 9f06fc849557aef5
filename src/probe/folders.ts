/** One folder as LIST shows it (RFC 9051 section 7.3.1). */
export interface FolderEntry {
  readonly path: string
  /** Last part of the path. */
  readonly name: string
  readonly flags: ReadonlySet<string>
  /** What a client made of SPECIAL-USE (RFC 6154), where it made something of it. */
  readonly specialUse?: string | undefined
}

export interface Folders {
  readonly inbox: string
  /** Undefined where nothing can be taken for it: a fault of the configuration, not "no spam". */
  readonly junk: string | undefined
  /** The other folders in which a canary might lie, at most `MAX_OTHERS`. */
  readonly others: readonly string[]
}

/** A seed is a small account; one with more folders is somebody's own. */
export const MAX_OTHERS = 50

// What webmails and servers call it. Gmail's and Outlook's follow the language of the account.
const NAMES = [
  'junk',
  'junk email',
  'junk e-mail',
  'spam',
  'bulk',
  'bulk mail',
  'junk-e-mail',
  'spamverdacht',
  'unerwünscht',
  'courrier indésirable',
  'indésirables',
  'pourriel',
  'correo no deseado',
  'no deseado',
  'lixo eletrônico',
  'lixo electrónico',
  'posta indesiderata',
  'ongewenste e-mail',
  'ongewenst',
  'skräppost',
  'søppelpost',
  'uønsket e-post',
  'uønsket mail',
  'roskaposti',
  'nevyžádaná pošta',
  'wiadomości-śmieci',
  'нежелательная почта',
  'спам',
  '迷惑メール',
  '垃圾邮件',
]

/** Folders in which no received mail lies, or that only show what lies elsewhere. */
const NEVER = ['\\noselect', '\\nonexistent', '\\sent', '\\drafts', '\\flagged', '\\important']

/**
 * Finds INBOX and the junk folder: by the configuration, by `\Junk` in the flags of plain LIST, by SPECIAL-USE, by
 * name. The flags come first because Outlook and Yahoo set them without advertising SPECIAL-USE.
 *
 * @param configured path from the configuration, or ''
 * @param names names that the provider is known to use, most likely first
 */
export function sortFolders(
  entries: readonly FolderEntry[],
  configured: string,
  names: readonly string[],
): Folders {
  const selectable = entries.filter(entry => !isOneOf(entry, ['\\noselect', '\\nonexistent']))
  // RFC 9051 section 5.1: INBOX is INBOX in any case.
  const inbox = selectable.find(entry => entry.path.toUpperCase() === 'INBOX')?.path ?? 'INBOX'
  const candidates = selectable.filter(entry => entry.path !== inbox)
  const junk =
    configured === ''
      ? findJunk(candidates, names)
      : candidates.find(entry => entry.path === configured)
  const others = candidates.filter(entry => entry !== junk && !isOneOf(entry, NEVER))
  return { inbox, junk: junk?.path, others: others.slice(0, MAX_OTHERS).map(entry => entry.path) }
}

function findJunk(
  candidates: readonly FolderEntry[],
  names: readonly string[],
): FolderEntry | undefined {
  const flagged = candidates.find(entry => isOneOf(entry, ['\\junk', '\\spam']))
  if (flagged) return flagged
  const special = candidates.find(entry => entry.specialUse?.toLowerCase() === '\\junk')
  if (special) return special
  for (const name of [...names.map(fold), ...NAMES]) {
    const named = candidates.find(entry => fold(entry.name) === name || fold(entry.path) === name)
    if (named) return named
  }
  return undefined
}

function isOneOf(entry: FolderEntry, flags: readonly string[]): boolean {
  return [...entry.flags].some(flag => flags.includes(flag.toLowerCase()))
}

function fold(name: string): string {
  return name.normalize('NFC').toLowerCase()
}
