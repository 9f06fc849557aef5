import type { ApplicationPassword } from './application-password.ts'

/**
 * Where application passwords are remembered. Two implementations, one contract test: SQLite, PostgreSQL. A promise that
 * resolved is on the disk. What is thrown means that the store cannot be asked now, and nothing of any password.
 */
export interface ApplicationPasswordStore {
  /** @returns false if the login has `most` already; then nothing was added, on whichever node the others were */
  add(password: ApplicationPassword, digest: Buffer, most: number): Promise<boolean>
  /** Of one login, the oldest first. */
  list(login: string): Promise<readonly ApplicationPassword[]>
  find(login: string, digest: Buffer): Promise<ApplicationPassword | undefined>
  /** A login with it at this time. */
  used(id: string, at: number): Promise<void>
  /** @returns false if the login has none of this id (any more) */
  remove(login: string, id: string): Promise<boolean>
  /** Removes all of one login that were made before, and not used since. */
  forget(login: string, before: number): Promise<void>
  /** Who has any. */
  logins(): Promise<readonly string[]>
  close(): Promise<void>
}
