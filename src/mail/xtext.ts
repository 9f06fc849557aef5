/*
 * xtext, the coding of ENVID and ORCPT in the SMTP dialogue (RFC 3461 section 4), and its younger sister for
 * addresses outside ASCII (RFC 6533 section 3).
 */

/** Writes a text as xtext. What is not ASCII is coded octet by octet, as UTF-8. */
export function encodeXtext(text: string): string {
  return Array.from(Buffer.from(text), octet =>
    octet < 33 || octet > 126 || octet === 43 || octet === 61
      ? `+${octet.toString(16).toUpperCase().padStart(2, '0')}`
      : String.fromCharCode(octet),
  ).join('')
}

/**
 * Reads xtext.
 *
 * @returns undefined if the text is none: a stray `+` or `=`, a blank, a control, anything outside ASCII
 */
export function decodeXtext(text: string): string | undefined {
  // Lower-case digits are not xtext.
  if (!/^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/.test(text)) return undefined
  const octets = text.replaceAll(/\+(..)/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return Buffer.from(octets, 'latin1').toString('utf8')
}

/** An address with its type, as in ORCPT and in the fields of a report: `rfc822;bob@example.net`. */
export interface TypedAddress {
  /** Lower case: `rfc822`, `utf-8`, or another registered one. */
  readonly type: string
  readonly address: string
}

/**
 * Reads the value of ORCPT (RFC 3461 section 4.2; for the type utf-8, RFC 6533 section 3).
 *
 * @returns undefined if it is malformed or longer than 500 characters (RFC 3461 section 5.4)
 */
export function parseOrcpt(text: string): TypedAddress | undefined {
  const match = /^([A-Za-z0-9-]+);(.+)$/s.exec(text)
  if (match?.[1] === undefined || match[2] === undefined || text.length > 500) return undefined
  const type = match[1].toLowerCase()
  const address = type === 'utf-8' ? decodeUtf8Address(match[2]) : decodeXtext(match[2])
  return address === undefined || address === '' ? undefined : { type, address }
}

/** Reads utf-8-addr-xtext and utf-8-addr-unitext (RFC 6533 section 3): `\x{FC}` is ü. */
function decodeUtf8Address(text: string): string | undefined {
  if (/[\u0000-\u0020\u007f]/.test(text)) return undefined
  let valid = true
  const plain = text.replaceAll(/\\(?:x\{([0-9A-F]{2,6})\})?/g, (_, hex: string | undefined) => {
    const point = hex === undefined ? -1 : Number.parseInt(hex, 16)
    // Halves of surrogate pairs are no characters.
    if (point < 0 || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
      valid = false
      return ''
    }
    return String.fromCodePoint(point)
  })
  return valid ? plain : undefined
}
