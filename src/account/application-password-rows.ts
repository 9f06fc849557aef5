import type { ApplicationPassword } from './application-password.ts'

export interface ApplicationPasswordRow {
  readonly id: string
  readonly login: string
  readonly account: string
  readonly name: string
  readonly created_at: number
  readonly used_at: number | null
}

export function passwordOf(row: ApplicationPasswordRow): ApplicationPassword {
  const { id, login, account, name, created_at: createdAt, used_at: usedAt } = row
  return { id, login, account, name, createdAt, usedAt: usedAt ?? undefined }
}
