// What fits beside the margins in the middle of Helvetica's letters.
const COLUMNS = 88
// Below it the lower margin begins.
const ROWS = 48

/**
 * One page of text as PDF (ISO 32000-1), small enough to be written by hand: people attach pages, and filters look into
 * them. Long lines are broken; characters outside of Windows-1252 become question marks, and what does not fit on the
 * page is left out.
 */
export function pdfPage(lines: readonly string[]): Buffer {
  const shown = lines
    .flatMap(broken)
    .slice(0, ROWS)
    .map(line => `(${escaped(line)}) Tj T*`)
    .join('\n')
  const stream = `BT /F1 11 Tf 15 TL 60 770 Td\n${shown}\nET`
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    // A4, and one of the fonts that every reader has (section 9.6.2.2).
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>',
  ]
  let text = '%PDF-1.4\n'
  const offsets: number[] = []
  for (const [index, object] of objects.entries()) {
    offsets.push(text.length)
    text += `${index + 1} 0 obj\n${object}\nendobj\n`
  }
  const table = text.length
  // Section 7.5.4: entries of exactly 20 octets.
  const entries = offsets.map(offset => `${String(offset).padStart(10, '0')} 00000 n \n`)
  text += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${entries.join('')}`
  text += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${table}\n%%EOF\n`
  return Buffer.from(text, 'latin1')
}

/** At spaces, where there is one. */
function broken(line: string): readonly string[] {
  return line.match(new RegExp(`.{1,${COLUMNS}}(?: |$)|.{1,${COLUMNS}}`, 'gu')) ?? ['']
}

/** Characters of WinAnsiEncoding, which is Windows-1252 (annex D), by the octet that stands for each. */
const WINDOWS_1252 = new Map(
  Array.from({ length: 0x80 }, (_, i) => [
    new TextDecoder('windows-1252').decode(Uint8Array.of(0x80 + i)),
    String.fromCodePoint(0x80 + i),
  ]),
)

/** Section 7.3.4.2: what ends or opens a string. */
function escaped(line: string): string {
  return line
    .trimEnd()
    .replaceAll(/[^\u0020-\u007E]/gu, character => WINDOWS_1252.get(character) ?? '?')
    .replaceAll(/[\\()]/g, String.raw`\$&`)
}
