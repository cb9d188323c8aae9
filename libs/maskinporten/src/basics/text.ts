/** Text without the byte order mark that editors on Windows put before it, and that JSON and PEM readers do not take. */
export const withoutByteOrderMark = (text: string): string => (text.startsWith('\uFEFF') ? text.slice(1) : text);

/** Text without the one line break at its end that `echo`, editors and mounted files leave there. A second one stays. */
export const withoutLineBreak = (text: string): string => text.replace(/\r?\n$/, '');

/** Control, format and bidirectional characters, line separators, halves of surrogate pairs. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Text without what a terminal would obey, and without what makes one line look like two, or like another (T-57). */
export const printable = (text: string): string => text.replaceAll(UNPRINTABLE, '');
