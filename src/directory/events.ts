/** What the directory reports upwards. No login and no hash is in any of them. */
export type DirectoryEvent =
  | {
      readonly kind: 'directory-synced'
      readonly source: string
      /** Accounts that can log in. */
      readonly accounts: number
      readonly changed: number
      /** Entries that were left out, by reason. */
      readonly rejected: Readonly<Record<string, number>>
      readonly seconds: number
    }
  | { readonly kind: 'directory-sync-failed'; readonly source: string; readonly cause: string }
  | { readonly kind: 'directory-sync-refused'; readonly source: string; readonly reason: string }
  | { readonly kind: 'directory-loaded'; readonly accounts: number; readonly ageSeconds: number }

export type ReportDirectoryEvent = (event: DirectoryEvent) => void
