/** Control, format and bidirectional characters, line separators, halves of surrogate pairs. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Text without what a terminal would obey, and without what makes one line look like two, or like another (T-57). */
export const printable = (text: string): string => text.replaceAll(UNPRINTABLE, '');
