/** Text without the byte order mark that editors on Windows put before it, and that JSON and PEM readers do not take. */
export const withoutByteOrderMark = (text: string): string => (text.startsWith('\uFEFF') ? text.slice(1) : text);
