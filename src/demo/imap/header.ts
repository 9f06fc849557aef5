import { parseHeader, valuesOf } from '../../mail/headers.ts'

/** Where the body begins; the length where there is none. */
export function bodyOffset(raw: Buffer): number {
  const blank = raw.indexOf('\r\n\r\n')
  return blank < 0 ? raw.length : blank + 4
}

/** The value of the first field of this name, given in lower case. */
export function fieldOf(raw: Buffer, name: string): string | undefined {
  return valuesOf(parseHeader(raw), name)[0]
}
