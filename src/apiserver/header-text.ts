// The text of a header. Node takes each byte of it as a character; clients, and Go, write UTF-8.

/** @param header as Node has it. @returns its text; bytes that are no UTF-8 become U+FFFD. */
export function headerText(header: string): string {
  // Bytes have no more than 255; nearly all headers are ASCII, and are left alone.
  return /[\x80-\xff]/.test(header) ? Buffer.from(header, 'latin1').toString() : header;
}
