/**
 * One page of text as PDF (ISO 32000-1), small enough to be written by hand: people attach pages, and filters look into
 * them. Characters outside of Latin-1 become question marks; a line that is too long runs off the page.
 */
export function pdfPage(lines: readonly string[]): Buffer {
  const shown = lines.map(line => `(${escaped(line)}) Tj T*`).join('\n')
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

/** Section 7.3.4.2: what ends or opens a string. */
function escaped(line: string): string {
  return line
    .replaceAll(/[^\u0020-\u007E\u00A0-\u00FF]/g, '?')
    .replaceAll(/[\\()]/g, String.raw`\$&`)
}
